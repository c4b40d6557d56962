/** What several hypervisors here share; not for others. */
@NullMarked
package org.computehive.vm.internal;

import org.jspecify.annotations.NullMarked;

@NullMarked
package org.computehive.server.demo;

import org.jspecify.annotations.NullMarked;

/** VMs on Proxmox VE, over its REST API. */
@NullMarked
package org.computehive.vm.proxmox;

import org.jspecify.annotations.NullMarked;

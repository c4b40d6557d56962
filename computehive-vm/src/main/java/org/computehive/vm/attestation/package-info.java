/** Verifies what the hardware of confidential guests signed: SEV-SNP reports and NVIDIA's tokens for gpus. */
@NullMarked
package org.computehive.vm.attestation;

import org.jspecify.annotations.NullMarked;

package org.computehive.rental;

import java.util.Map;
import org.computehive.access.AccessException;
import org.computehive.market.Assurance;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.schedule.Window;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts a guest that must prove itself before it gets a certificate or a key. */
final class ConfidentialLaunch {
    private static final Logger LOG = LoggerFactory.getLogger(ConfidentialLaunch.class);

    private final SessionAccess access;
    private final Attestor attestor;

    ConfidentialLaunch(SessionAccess access, Attestor attestor) {
        this.access = access;
        this.attestor = attestor;
    }

    /** A VM whose guest was let through, and what was verified of it. */
    record Attested(RunningVm vm, Map<String, String> verified) {}

    static boolean isFor(Rental rental) {
        return rental.terms().assurance() == Assurance.CONFIDENTIAL;
    }

    /** Who answers for a guest that did not prove itself: the platform, if it could not have judged any. */
    Fault.Blame blame() {
        return attestor == Attestor.NONE ? Fault.Blame.PLATFORM : Fault.Blame.LENDER;
    }

    /**
     * Starts it. Whatever fails, the VM is ended before this returns.
     *
     * @param certified the time for which its host key is certified
     * @throws AttestationException if it did not prove itself
     */
    Attested start(Hypervisor hypervisor, VmSpec spec, Window certified) {
        Challenge challenge = Challenge.fresh(spec.id(), access.trust());
        try {
            Evidence evidence = hypervisor.attest(spec, challenge);
            Map<String, String> verified = attestor.verify(spec, challenge, evidence);
            LOG.info("guest attested: rental={} {}", spec.id(), verified);
            GuestRelease release = GuestRelease.of(certificate(spec, certified, evidence));
            return new Attested(hypervisor.release(spec.id(), release.seal(challenge, evidence)), verified);
        } catch (RuntimeException e) {
            end(hypervisor, spec.id(), e);
            throw e;
        }
    }

    private String certificate(VmSpec spec, Window certified, Evidence evidence) {
        try {
            return access.certify(spec.id(), certified, evidence.hostKey());
        } catch (AccessException.KeyRefused e) {
            throw new AttestationException("host key", "the guest's host key can't be certified: " + e.getMessage(), e);
        }
    }

    private static void end(Hypervisor hypervisor, RentalId id, RuntimeException why) {
        try {
            hypervisor.destroy(id);
            hypervisor.erase(id);
        } catch (HypervisorException e) {
            why.addSuppressed(e); // the rental's teardown tries it again
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";
import { Outcome } from "../types/Outcome.sol";
import { Clauses, PackedOffer } from "../types/PackedOffer.sol";
import { DISPUTED_BY_LENDER, DISPUTED_BY_RENTER, Phase, phaseOf } from "../types/Phase.sol";

/// @title Terms
/// @notice What the terms of an offer mean at a time, and how what is locked is shared: arithmetic alone.
/// @dev Nothing here can overflow: times have 40 bits, lengths 32, rates and bonds 96, shares 16 of which 10,000 are
/// allowed.
library Terms {
    /// @dev The whole, in basis points.
    uint256 internal constant WHOLE = 10_000;

    /// @notice Refuses clauses that make no sense, and such as come too late at `time`.
    function check(Clauses clauses, uint256 time) internal pure {
        require(clauses.duration() > 0, Errors.DurationZero());
        require(clauses.lateShare() <= WHOLE, Errors.ShareOverWhole(clauses.lateShare()));
        require(clauses.noShowShare() <= WHOLE, Errors.ShareOverWhole(clauses.noShowShare()));
        require(time <= clauses.expiry(), Errors.OfferExpired(clauses.expiry(), time));
        require(time < clauses.end(), Errors.WindowOver(clauses.end(), time));
    }

    /// @notice The seconds between the start and `time` that lie in the window.
    /// @dev Only for a `time` from the start on, which is what each caller has made sure of.
    function elapsed(Clauses clauses, uint256 time) internal pure returns (uint256) {
        unchecked {
            return min(time - clauses.start(), clauses.duration());
        }
    }

    /// @notice The seconds that the renter owes if it ends at `time`.
    function owed(Clauses clauses, uint256 time) internal pure returns (uint256) {
        unchecked {
            uint256 start = clauses.start();
            if (time + clauses.notice() <= start) return 0;
            uint256 served = time <= start + clauses.grace() ? 0 : elapsed(clauses, time);
            uint256 late = clauses.lateShare();
            if (late == 0) return served;
            return max(served, clauses.duration() * late / WHOLE);
        }
    }

    /// @notice The seconds that the renter owes if it has not come at `time`.
    function absent(Clauses clauses, uint256 time) internal pure returns (uint256) {
        unchecked {
            return max(elapsed(clauses, time), clauses.duration() * clauses.noShowShare() / WHOLE);
        }
    }

    /// @notice What a lender that gives everything back at `time` loses of its bond.
    function conceded(Clauses clauses, uint256 bond, uint256 time) internal pure returns (uint256) {
        unchecked {
            uint256 start = clauses.start();
            if (time + clauses.notice() <= start) return 0;
            if (time < start) return bond * clauses.lateShare() / WHOLE;
            return time <= start + clauses.grace() ? bond : 0;
        }
    }

    /// @notice The phase in which `phase` is disputed at `time`.
    function disputed(Clauses clauses, Phase phase, uint256 time) internal pure returns (Phase) {
        if (phase.isAbsent()) {
            return phaseOf(DISPUTED_BY_LENDER, time, 0, phase.claimed());
        }
        if (phase.isRunning()) {
            return phaseOf(DISPUTED_BY_RENTER, time, owed(clauses, time), clauses.duration());
        }
        uint256 served = min(elapsed(clauses, phase.at()), phase.used());
        return phaseOf(DISPUTED_BY_RENTER, time, served, phase.claimed());
    }

    /// @notice What the renter locks to open the rental.
    function cost(PackedOffer calldata offer) internal pure returns (uint256) {
        unchecked {
            return offer.renterWord.rate() * offer.clauses.duration();
        }
    }

    /// @notice Shares what is locked. The shares are all of it, if the outcome stays within it.
    function shares(
        PackedOffer calldata offer,
        Phase phase,
        Outcome outcome
    )
        internal
        pure
        returns (uint256 toLender, uint256 toRenter)
    {
        unchecked {
            uint256 used = outcome.used();
            uint256 rate = offer.renterWord.rate();
            toLender = rate * used + offer.tokenWord.bond() - outcome.slash();
            toRenter = rate * (offer.clauses.duration() - used) + outcome.slash();
            if (phase.isDisputed()) {
                uint256 lost = outcome.forfeit();
                uint256 back = offer.arbiterWord.disputeBond() - lost;
                bool byRenter = phase.isDisputedByRenter();
                toLender += byRenter ? lost : back;
                toRenter += byRenter ? back : lost;
            }
        }
    }

    function min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}

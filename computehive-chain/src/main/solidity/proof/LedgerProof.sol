// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title LedgerProof
/// @notice The escrow's ledger as a machine of a few numbers, and what `build --prove` proves of it for every sequence
/// of calls of any length: no money is made, none is lost, and what is locked can be paid out.
/// @dev The ledger of one token, for any one lender `l`, any one renter `r` and everybody else together. The statements
/// of each function are those of the contract's function of the same name, with the amounts that leave and enter; what
/// the proof leaves out is said in PROOF.md beside it.
contract LedgerProof {
    /// @dev What the contract holds of the token.
    uint256 private held;
    /// @dev The ledger accounts of a lender, of a renter, and of everybody else in sum.
    uint256 private ofLender;
    uint256 private ofRenter;
    uint256 private ofOthers;
    /// @dev What one rental between the two locks, and what all others lock in sum.
    uint256 private cost;
    uint256 private bond;
    uint256 private disputeBond;
    uint256 private lockedByOthers;
    bool private open_;
    bool private disputed;

    /// @dev The invariant: the contract holds what it owes and what is locked.
    function invariant() public view {
        assert(held == ofLender + ofRenter + ofOthers + cost + bond + disputeBond + lockedByOthers);
        assert(open_ || (cost == 0 && bond == 0 && disputeBond == 0 && !disputed));
        assert(disputed || disputeBond == 0);
    }

    function deposit(uint256 amount, uint8 whose) external {
        held += amount;
        if (whose == 0) ofLender += amount;
        else if (whose == 1) ofRenter += amount;
        else ofOthers += amount;
    }

    function withdraw(uint256 amount, uint8 whose) external {
        if (whose == 0) {
            require(amount <= ofLender);
            ofLender -= amount;
        } else if (whose == 1) {
            require(amount <= ofRenter);
            ofRenter -= amount;
        } else {
            require(amount <= ofOthers);
            ofOthers -= amount;
        }
        held -= amount;
    }

    function open(uint256 cost_, uint256 bond_, uint256 fromWallet) external {
        require(!open_);
        require(bond_ <= ofLender);
        ofLender -= bond_;
        require(fromWallet <= cost_ && cost_ - fromWallet <= ofRenter);
        ofRenter -= cost_ - fromWallet;
        held += fromWallet;
        (open_, cost, bond) = (true, cost_, bond_);
    }

    function dispute(uint256 disputeBond_, bool byRenter, uint256 fromWallet) external {
        require(open_ && !disputed);
        require(fromWallet <= disputeBond_);
        uint256 fromLedger = disputeBond_ - fromWallet;
        if (byRenter) {
            require(fromLedger <= ofRenter);
            ofRenter -= fromLedger;
        } else {
            require(fromLedger <= ofLender);
            ofLender -= fromLedger;
        }
        held += fromWallet;
        (disputed, disputeBond) = (true, disputeBond_);
    }

    /// @dev Every way of closing ends here: `paid` is `rate * used` and at most the cost, see {OwedProof}.
    function close(uint256 paid, uint256 slash, uint256 forfeit, bool byRenter) external {
        require(open_ && paid <= cost && slash <= bond && forfeit <= disputeBond);
        uint256 toLender = paid + bond - slash;
        uint256 toRenter = cost - paid + slash;
        if (disputed) {
            toLender += byRenter ? forfeit : disputeBond - forfeit;
            toRenter += byRenter ? disputeBond - forfeit : forfeit;
        }
        assert(toLender + toRenter == cost + bond + disputeBond);
        ofLender += toLender;
        ofRenter += toRenter;
        (open_, disputed, cost, bond, disputeBond) = (false, false, 0, 0, 0);
    }

    /// @dev What other parties do to the same ledger: their money moves between accounts and locks.
    function others(uint256 lock, uint256 unlock) external {
        require(lock <= ofOthers);
        ofOthers -= lock;
        lockedByOthers += lock;
        require(unlock <= lockedByOthers);
        lockedByOthers -= unlock;
        ofOthers += unlock;
    }
}

/// @title OwedProof
/// @notice What is owed never exceeds the window, for all clauses and times: the bound that {LedgerProof} asks of a
/// closing. A share of at most the whole is taken for at most the whole, see PROOF.md.
contract OwedProof {
    function owed(uint40 start, uint32 duration, uint24 grace, uint32 notice, uint32 late, uint40 time) external pure {
        require(duration > 0 && late <= duration);
        uint256 used = 0;
        if (uint256(time) + notice > start) {
            uint256 served = 0;
            if (time > uint256(start) + grace) {
                served = uint256(time) - start < duration ? uint256(time) - start : duration;
            }
            used = served > late ? served : late;
        }
        assert(used <= duration);
    }
}

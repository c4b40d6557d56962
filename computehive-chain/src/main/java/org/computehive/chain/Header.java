package org.computehive.chain;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.web3j.crypto.Hash;
import org.web3j.rlp.RlpEncoder;
import org.web3j.rlp.RlpList;
import org.web3j.rlp.RlpString;
import org.web3j.rlp.RlpType;

/**
 * The hash of a block's header, computed from its members: what a node says of a block is what the block's hash commits
 * to, or it is a lie. The members and their order are those of Ethereum's execution specification up to Prague.
 */
final class Header {
    private static final List<Member> MEMBERS = List.of(
            bytes("parentHash"),
            bytes("sha3Uncles"),
            bytes("miner"),
            bytes("stateRoot"),
            bytes("transactionsRoot"),
            bytes("receiptsRoot"),
            bytes("logsBloom"),
            number("difficulty"),
            number("number"),
            number("gasLimit"),
            number("gasUsed"),
            number("timestamp"),
            bytes("extraData"),
            bytes("mixHash"),
            bytes("nonce"),
            number("baseFeePerGas"),
            bytes("withdrawalsRoot"),
            number("blobGasUsed"),
            number("excessBlobGas"),
            bytes("parentBeaconBlockRoot"),
            bytes("requestsHash"));

    private Header() {}

    private record Member(String name, boolean isNumber) {}

    private static Member bytes(String name) {
        return new Member(name, false);
    }

    private static Member number(String name) {
        return new Member(name, true);
    }

    /** Returns whether the hash that a block bears is that of its header. */
    static boolean isWhole(JsonNode block) {
        String hash = hash(block);
        return hash != null && hash.equals(block.path("hash").asText());
    }

    /** Returns the hash, or null where the members are none of such a header. */
    private static @Nullable String hash(JsonNode block) {
        var values = new ArrayList<RlpType>();
        for (Member member : MEMBERS) {
            JsonNode value = block.path(member.name());
            if (value.isMissingNode() || value.isNull()) {
                continue; // a fork that the chain has not
            }
            String digits = value.asText();
            if (!value.isTextual() || !digits.matches("0x[0-9a-fA-F]*")) {
                return null;
            }
            digits = digits.substring(2);
            if (member.isNumber()) {
                values.add(RlpString.create(new BigInteger("0" + digits, 16)));
            } else if (digits.length() % 2 == 0) {
                values.add(RlpString.create(HexFormat.of().parseHex(digits)));
            } else {
                return null;
            }
        }
        return "0x" + HexFormat.of().formatHex(Hash.sha3(RlpEncoder.encode(new RlpList(values))));
    }
}

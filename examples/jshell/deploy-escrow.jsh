// Puts a RentalEscrow on a chain and connects to it as the engine would. computehive-chain/DEPLOY.md says what to think of.
//
//   RPC=https://... KEY_FILE=deployer.key ./computehive jshell examples/jshell/deploy-escrow.jsh
//
// KEY_FILE: who pays the gas, 64 hexadecimal digits that nobody else may read; made if there is none, to be funded then.
// TOKEN, TOKEN_SYMBOL, TOKEN_DECIMALS: what rent will be paid in; the native coin (ETH, 18) if not given.
import org.computehive.chain.*
import org.computehive.market.*
import org.computehive.rental.EscrowException
import java.net.URI
import java.nio.file.*

String variable(String name, String otherwise) {
    String value = System.getenv(name);
    if (value == null && otherwise == null) throw new IllegalArgumentException("set the environment variable " + name);
    return value == null ? otherwise : value;
}

boolean deploy() {
    var node = URI.create(variable("RPC", null));
    var file = Path.of(variable("KEY_FILE", null));
    if (!Files.exists(file)) {
        EvmWallet.random().save(file);
        System.out.printf("made a key in %s: send %s about 0.1 coins for gas and start again%n", file, EvmWallet.load(file).account());
        return false;
    }
    var token = new Token(new Account(variable("TOKEN", Account.ZERO.address())), variable("TOKEN_SYMBOL", "ETH"), Integer.parseInt(variable("TOKEN_DECIMALS", "18")), false);
    var deployed = EscrowDeployment.escrow(node, EvmWallet.load(file));
    // First what can't be had back: the contract lies there, whatever the next check says.
    System.out.printf("computehive.chain.id=%d%ncomputehive.chain.contract=%s%ncomputehive.chain.deployed-at=%d%n", deployed.chainId(), deployed.contract(), deployed.block());
    // Refuses another chain, another contract, and a token with other decimals.
    try (var escrow = EvmEscrow.connect(deployed.settings(node, token))) {
        System.out.printf("connected; rent is paid in %s%n", escrow.token().symbol());
    } catch (EscrowException e) {
        System.out.println("deployed, and good for any token, but not connected: " + e.getMessage());
        return false;
    }
    return true;
}

boolean done = false
try { done = deploy(); } catch (RuntimeException e) { System.out.println("not deployed: " + e.getMessage()); }
/exit done ? 0 : 1

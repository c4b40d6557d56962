#!/usr/bin/env node
// A second development chain, for tests alone: the same contract and the same Java tests on an EVM that shares no code
// with anvil's (EthereumJS, fork Cancun). It takes those of anvil's options and methods that the tests use.
import http from 'node:http';
import { createBlock } from '@ethereumjs/block';
import { Hardfork, Mainnet, createCustomCommon } from '@ethereumjs/common';
import { createTxFromRLP } from '@ethereumjs/tx';
import {
  Account, bigIntToHex, bytesToHex, createAddressFromString, createContractAddress, createZeroAddress, equalsBytes, hexToBytes,
} from '@ethereumjs/util';
import { buildBlock, createVM } from '@ethereumjs/vm';

const options = {};
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i];
  if (!name.startsWith('--')) fail(`unexpected argument ${name}`);
  const next = process.argv[i + 1];
  options[name.slice(2)] = next === undefined || next.startsWith('--') ? true : process.argv[++i];
}
if (options['load-state']) fail('--load-state is not supported');

const GAS_LIMIT = 30_000_000n;
const GWEI = 1_000_000_000n;
const INTRINSIC = 53_000n;
const chainId = Number(options['chain-id'] ?? 31337);
const common = createCustomCommon({ chainId }, Mainnet, { hardfork: Hardfork.Cancun });
const vm = await createVM({ common });

// blocks[n]: { block, root, receipts }; root is the state after it, with what the tests put there by hand.
const blocks = [];
const snapshots = new Map();
const transactions = new Map(); // hash -> { tx, block, index }
let pool = []; // in the order of arrival
let automine = true;
let offset = 0n;
let nextBaseFee;
let salt = 0;
let changes = 0; // counts what makes another pending block
let pending;

function fail(message) {
  console.error(`second-node: ${message}`);
  process.exit(2);
}
class RpcError extends Error {
  constructor(code, message, data) {
    super(message);
    Object.assign(this, { code, data });
  }
}
const hex = (value) => bigIntToHex(BigInt(value));
const address = (text) => createAddressFromString(text);
const head = () => blocks[blocks.length - 1];

{
  const root = await vm.stateManager.getStateRoot();
  const timestamp = BigInt(Math.floor(Date.now() / 1000));
  const block = createBlock(
    { header: { gasLimit: GAS_LIMIT, baseFeePerGas: GWEI, stateRoot: root, timestamp } }, { common, setHardfork: false });
  blocks.push({ block, root, receipts: [] });
}

// ---- Blocks ---------------------------------------------------------------------------------------------------------

const clock = () => BigInt(Math.floor(Date.now() / 1000)) + offset;

function headerData() {
  const parent = head().block.header;
  const now = clock();
  return {
    timestamp: now > parent.timestamp ? now : parent.timestamp + 1n,
    gasLimit: GAS_LIMIT,
    baseFeePerGas: nextBaseFee ?? parent.calcNextBaseFee(),
    parentBeaconBlockRoot: new Uint8Array(32),
    extraData: hexToBytes(hex(++salt).length % 2 ? `0x0${hex(salt).slice(2)}` : hex(salt)),
  };
}

// Builds the next block over the head from what the pool holds, on a machine whose state it changes.
async function build(machine) {
  await machine.stateManager.setStateRoot(head().root);
  const builder = await buildBlock(machine, {
    parentBlock: head().block,
    headerData: headerData(),
    withdrawals: [],
    blockOpts: { putBlockIntoBlockchain: false, common, setHardfork: false },
  });
  const taken = [];
  const receipts = [];
  for (let again = true; again; ) {
    again = false;
    for (const tx of pool) {
      if (taken.includes(tx)) continue;
      const sender = await machine.stateManager.getAccount(tx.getSenderAddress());
      if ((sender?.nonce ?? 0n) !== tx.nonce) continue;
      try {
        receipts.push(await builder.addTransaction(tx, { skipHardForkValidation: true }));
        taken.push(tx);
        again = true;
      } catch (error) {
        if (!/base ?fee|gas limit|balance/i.test(error.message)) throw error;
      }
    }
  }
  const { block } = await builder.build();
  return { block, root: await machine.stateManager.getStateRoot(), receipts, taken };
}

// The block that would come next, and the state after it; built anew only when something changed.
async function pendingBlock() {
  const key = `${changes}/${pool.length > 0 ? '' : headerData().timestamp}`;
  if (pending?.key !== key) pending = { key, ...(await build(await vm.shallowCopy())) };
  return pending;
}

async function mine() {
  changes++;
  const built = await build(vm);
  nextBaseFee = undefined;
  pool = pool.filter((tx) => !built.taken.includes(tx));
  blocks.push(built);
  built.taken.forEach((tx, index) => transactions.set(bytesToHex(tx.hash()), { tx, block: built, index }));
}

function truncate(length) {
  changes++;
  for (const gone of blocks.splice(length)) {
    for (const tx of gone.taken) transactions.delete(bytesToHex(tx.hash()));
  }
}

// A machine in the state after a block, and the block in whose context calls run there.
async function at(tag) {
  const machine = await vm.shallowCopy();
  if (tag === 'pending') {
    const { block, root } = await pendingBlock();
    await machine.stateManager.setStateRoot(root);
    return { machine, block };
  }
  const entry = byTag(tag);
  await machine.stateManager.setStateRoot(entry.root);
  return { machine, block: entry.block };
}

function byTag(tag = 'latest') {
  const entry = tag === 'latest' ? head() : blocks[Number(tag)];
  if (entry === undefined) throw new RpcError(-32000, 'block not found');
  return entry;
}

// ---- Calls and transactions -----------------------------------------------------------------------------------------

async function run(call, tag, gasLimit = GAS_LIMIT) {
  const { machine, block } = await at(tag);
  const caller = call.from ? address(call.from) : createZeroAddress();
  const value = BigInt(call.value ?? 0);
  const account = (await machine.stateManager.getAccount(caller)) ?? new Account();
  if (account.balance < value) throw new RpcError(-32003, 'insufficient funds for gas * price + value');
  const { execResult } = await machine.evm.runCall({
    caller, origin: caller, value, gasLimit, block,
    to: call.to ? address(call.to) : undefined,
    data: hexToBytes(call.data ?? call.input ?? '0x'),
  });
  const failure = execResult.exceptionError;
  if (failure !== undefined) {
    const data = bytesToHex(execResult.returnValue);
    throw failure.error === 'revert' ? new RpcError(3, 'execution reverted', data) : new RpcError(-32000, failure.error);
  }
  return execResult;
}

async function send(raw) {
  const tx = createTxFromRLP(hexToBytes(raw), { common });
  const hash = bytesToHex(tx.hash());
  if (transactions.has(hash) || pool.some((other) => equalsBytes(other.hash(), tx.hash()))) {
    throw new RpcError(-32000, 'already known');
  }
  const sender = tx.getSenderAddress();
  const { machine } = await at('latest');
  const account = (await machine.stateManager.getAccount(sender)) ?? new Account();
  if (tx.nonce < account.nonce) throw new RpcError(-32003, 'nonce too low');
  if (account.balance < tx.maxFeePerGas * tx.gasLimit + tx.value) {
    throw new RpcError(-32003, 'insufficient funds for gas * price + value');
  }
  changes++;
  const rival = pool.findIndex((other) => other.nonce === tx.nonce && other.getSenderAddress().equals(sender));
  if (rival >= 0) {
    if (tx.maxFeePerGas * 10n < pool[rival].maxFeePerGas * 11n) {
      throw new RpcError(-32003, 'replacement transaction underpriced');
    }
    pool[rival] = tx;
  } else {
    pool.push(tx);
  }
  if (automine) await mine();
  return hash;
}

// ---- What is told of them -------------------------------------------------------------------------------------------

function showTransaction(tx, entry, index) {
  return {
    hash: bytesToHex(tx.hash()), from: tx.getSenderAddress().toString(), to: tx.to?.toString() ?? null,
    nonce: hex(tx.nonce), value: hex(tx.value), input: bytesToHex(tx.data), gas: hex(tx.gasLimit),
    maxFeePerGas: hex(tx.maxFeePerGas), maxPriorityFeePerGas: hex(tx.maxPriorityFeePerGas), type: '0x2',
    blockHash: entry ? bytesToHex(entry.block.hash()) : null, blockNumber: entry ? hex(entry.block.header.number) : null,
    transactionIndex: entry ? hex(index) : null,
  };
}

function showBlock(entry, full) {
  const json = entry.block.toJSON().header;
  const { coinbase, uncleHash, transactionsTrie, receiptTrie, ...rest } = json;
  return {
    ...rest, miner: coinbase, sha3Uncles: uncleHash, transactionsRoot: transactionsTrie, receiptsRoot: receiptTrie,
    hash: bytesToHex(entry.block.hash()),
    transactions: (entry.taken ?? []).map((tx, i) => (full ? showTransaction(tx, entry, i) : bytesToHex(tx.hash()))),
  };
}

function logsOf(entry) {
  let logIndex = 0;
  return entry.receipts.flatMap(({ receipt }, index) => receipt.logs.map(([of, topics, data]) => ({
    address: bytesToHex(of), topics: topics.map(bytesToHex), data: bytesToHex(data), removed: false,
    blockNumber: hex(entry.block.header.number), blockHash: bytesToHex(entry.block.hash()), logIndex: hex(logIndex++),
    transactionHash: bytesToHex(entry.taken[index].hash()), transactionIndex: hex(index),
  })));
}

function matches(log, filter) {
  if (filter.address && log.address !== filter.address.toLowerCase()) return false;
  return (filter.topics ?? []).every((wanted, i) => wanted === null || [wanted].flat().includes(log.topics[i]));
}

function logs(filter) {
  if (filter.blockHash) {
    const entry = blocks.find(({ block }) => bytesToHex(block.hash()) === filter.blockHash);
    if (entry === undefined) throw new RpcError(-32000, 'unknown block');
    return logsOf(entry).filter((log) => matches(log, filter));
  }
  const numberOf = (tag) => (tag === undefined || tag === 'latest' ? blocks.length - 1 : Number(tag));
  return blocks.slice(numberOf(filter.fromBlock), numberOf(filter.toBlock) + 1)
    .flatMap(logsOf).filter((log) => matches(log, filter));
}

function receipt(hash) {
  const known = transactions.get(hash);
  if (known === undefined) return null;
  const { tx, block: entry, index } = known;
  const result = entry.receipts[index];
  return {
    transactionHash: hash, status: hex(result.receipt.status), blockNumber: hex(entry.block.header.number),
    blockHash: bytesToHex(entry.block.hash()), gasUsed: hex(result.totalGasSpent),
    contractAddress: tx.to === undefined ? createContractAddress(tx.getSenderAddress(), tx.nonce).toString() : null,
    logs: logsOf(entry).filter((log) => log.transactionHash === hash),
  };
}

// Changes an account by hand, as anvil_setBalance does: outside of any block.
async function change(of, edit) {
  changes++;
  await vm.stateManager.setStateRoot(head().root);
  const account = (await vm.stateManager.getAccount(of)) ?? new Account();
  await edit(account);
  await vm.stateManager.flush();
  head().root = await vm.stateManager.getStateRoot();
}

const methods = {
  eth_chainId: () => hex(chainId),
  eth_blockNumber: () => hex(blocks.length - 1),
  eth_maxPriorityFeePerGas: () => hex(GWEI),
  eth_getBlockByNumber: async (tag, full) => {
    if (tag === 'pending') return showBlock(await pendingBlock(), full);
    return tag === 'latest' || blocks[Number(tag)] ? showBlock(byTag(tag), full) : null;
  },
  eth_getBlockByHash: (hash, full) => {
    const entry = blocks.find(({ block }) => bytesToHex(block.hash()) === hash);
    return entry ? showBlock(entry, full) : null;
  },
  eth_getCode: async (of, tag) => bytesToHex(await (await at(tag)).machine.stateManager.getCode(address(of))),
  eth_getBalance: async (of, tag) => hex((await (await at(tag)).machine.stateManager.getAccount(address(of)))?.balance ?? 0n),
  eth_getTransactionCount: async (of, tag) =>
    hex((await (await at(tag)).machine.stateManager.getAccount(address(of)))?.nonce ?? 0n),
  eth_getTransactionByHash: (hash) => {
    const known = transactions.get(hash);
    if (known) return showTransaction(known.tx, known.block, known.index);
    const waiting = pool.find((tx) => bytesToHex(tx.hash()) === hash);
    return waiting ? showTransaction(waiting) : null;
  },
  eth_getTransactionReceipt: receipt,
  eth_call: async (call, tag) => bytesToHex((await run(call, tag)).returnValue),
  eth_estimateGas: async (call, tag) => {
    const { executionGasUsed } = await run(call, tag ?? 'latest');
    const bytes = BigInt(((call.data ?? '0x').length - 2) / 2);
    return hex(INTRINSIC + bytes * 16n + (bytes / 16n) + executionGasUsed + executionGasUsed / 16n);
  },
  eth_sendRawTransaction: send,
  eth_getLogs: logs,
  evm_mine: async () => (await mine(), '0x0'),
  anvil_mine: async (count = '0x1') => {
    for (let i = 0; i < Number(count); i++) await mine();
    return null;
  },
  evm_increaseTime: (seconds) => {
    // From the time of the next block, which is ahead of the clock where blocks came faster than seconds.
    offset += headerData().timestamp - clock() + BigInt(seconds);
    return hex(offset);
  },
  evm_setAutomine: (on) => ((automine = on), null),
  anvil_setNextBlockBaseFeePerGas: (wei) => ((nextBaseFee = BigInt(wei)), changes++, null),
  anvil_setBalance: async (of, wei) => {
    await change(address(of), async (account) => {
      account.balance = BigInt(wei);
      await vm.stateManager.putAccount(address(of), account);
    });
    return null;
  },
  anvil_setCode: async (of, code) => {
    await change(address(of), async (account) => {
      await vm.stateManager.putAccount(address(of), account);
      await vm.stateManager.putCode(address(of), hexToBytes(code));
    });
    return null;
  },
  anvil_dropAllTransactions: () => ((pool = []), changes++, null),
  evm_snapshot: () => {
    const id = hex(snapshots.size + 1);
    snapshots.set(id, { length: blocks.length, root: head().root });
    return id;
  },
  evm_revert: (id) => {
    const { length, root } = snapshots.get(id);
    truncate(length);
    head().root = root;
    pool = [];
    return true;
  },
  anvil_reorg: async (depth) => {
    truncate(blocks.length - depth);
    const waiting = pool;
    pool = [];
    for (let i = 0; i < depth; i++) await mine();
    pool = waiting;
    return null;
  },
};

// ---- The server: one request at a time, so that each sees a chain that stands still -----------------------------------

let turn = Promise.resolve();
const inTurn = (task) => (turn = turn.then(task, task));

async function answer({ id, method, params }) {
  try {
    if (methods[method] === undefined) throw new RpcError(-32601, `there is no method ${method}`);
    return { jsonrpc: '2.0', id, result: (await methods[method](...(params ?? []))) ?? null };
  } catch (error) {
    return { jsonrpc: '2.0', id, error: { code: error.code ?? -32603, message: error.message, data: error.data } };
  }
}

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const body = JSON.stringify(await inTurn(() => answer(JSON.parse(Buffer.concat(chunks).toString()))));
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
});
if (options['block-time']) setInterval(() => inTurn(mine), Number(options['block-time']) * 1000);
server.listen(Number(options.port ?? 0), options.host ?? '127.0.0.1', () => {
  console.log(`Listening on ${server.address().address}:${server.address().port}`);
});

#!/usr/bin/env bash
# One rental through the REST API with curl, jq and the OpenSSH client. The wallets are the development chain's node: it
# signs and sends for the lender and the renter, as a wallet of yours would.
#
#   API, RPC   where the server and the chain's node listen (as ./computehive serve prints them)
#   TOKENS     the folder with the request headers of the first start
#   LEAD       how many seconds from now the window starts
#   LENGTH     how long the window is, in seconds
#   UNTIL      funded, to stop there
set -euo pipefail
for program in curl jq ssh ssh-keygen; do
  command -v "$program" >/dev/null || { echo "$program is missing: apt-get install curl jq openssh-client" >&2; exit 3; }
done
API=${API:-http://127.0.0.1:8080} RPC=${RPC:-http://127.0.0.1:8545} LENGTH=${LENGTH:-300}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# api ROLE METHOD PATH [JSON]: a request as a lender, a renter or an auditor; the token stays out of the argument list.
api() {
  curl -sS --fail-with-body -X "$2" -H @"$TOKENS/$1" -H 'Content-Type: application/json' ${4:+-d "$4"} "$API$3"
}
# rpc METHOD PARAMS: a call to the chain's node; prints the result.
rpc() {
  curl -sS -H 'Content-Type: application/json' -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$1\",\"params\":$2}" "$RPC" |
    jq -r 'if .error then error(.error.message) else .result end'
}
# send: has the wallet send the transaction on standard input, and waits for its block.
send() {
  local hash receipt=null
  hash=$(rpc eth_sendTransaction "[$(jq -c 'del(.purpose)')]")
  until [[ $receipt != null ]]; do receipt=$(rpc eth_getTransactionReceipt "[\"$hash\"]"); done
  jq -e '.status == "0x1"' <<<"$receipt" >/dev/null || { echo "transaction $hash failed" >&2; return 1; }
}
# sign ROLE ACCOUNT PATH: has a wallet sign what the API asks for, and hands the signature in.
sign() {
  local signature
  signature=$(rpc eth_signTypedData_v4 "$(api "$1" GET "$3" | jq -c --arg who "$2" '[$who, .typedData]')")
  api "$1" PUT "$3/signature" "{\"signature\":\"$signature\"}"
}
# await CONDITION: waits until the rental is as asked, without asking again and again.
await() {
  local seen
  seen=$(api renter GET "/rentals/$id")
  until jq -e "$1" <<<"$seen" >/dev/null; do
    if jq -e '.state == "FAILED" or .state == "EXPIRED" or .fault' <<<"$seen" >/dev/null; then
      jq . <<<"$seen" >&2
      return 1
    fi
    seen=$(api renter GET "/rentals/$id?after=$(jq .version <<<"$seen")")
  done
  jq -r '"   " + .state + " at version " + (.version | tostring)' <<<"$seen"
}

lender=$(api lender GET /account | jq -r .account)
renter=$(api renter GET /account | jq -r .account)

echo '1. the host, as its inventory was read'
host=$(api lender GET /hosts | jq -c '.[0]')
jq -c '{id, acceleration, gpu: .gpus[0]}' <<<"$host"

echo '2. the lender asks for a suggestion, and lists the gpu at that price'
suggestion=$(api lender POST /price-suggestions '{"gpuModel":"RTX 4090","gpuCount":1,"cpus":1,"memoryMiB":1024}')
jq -c '{point, price: .pointRate.perHour, why: [.factors[].why]}' <<<"$suggestion"
# Suggestions are in dollars, so for a token that is none there is no rate.
listing=$(jq -c --argjson suggestion "$suggestion" '{
  host: .id, gpus: [.gpus[] | select(.unavailable == null) | .id][:1],
  shape: {cpus: 1, memoryMiB: 256, diskMiB: 64, image: "demo"},
  price: ($suggestion.pointRate.unitsPerSecond // "1000"), floor: "1", ceiling: "1000000", availability: "always",
  rules: {shortest: "PT1M", longest: "PT24H", turnover: "PT1M", grace: "PT15M", disputeWindow: "PT1H"},
  assurance: "ISOLATED", emulated: .gpus[0].emulated}' <<<"$host")
api lender PUT /listings/first "$listing" | jq -c '{id, price: .price.perHour, emulated}'

echo '3. the renter searches, gets a quote and reserves'
start=$(date -u -d "+${LEAD:-30} seconds" +%FT%TZ)
end=$(date -u -d "+$((${LEAD:-30} + LENGTH)) seconds" +%FT%TZ)
api renter GET "/listings?start=$start&end=$end" | jq -c '.[] | {id, price: .price.perHour}'
quote=$(api renter POST /quotes "{\"listing\":\"first\",\"start\":\"$start\",\"end\":\"$end\"}" | jq -r .id)
id=$(api renter POST /rentals "{\"quote\":\"$quote\"}" | jq -r .id)
await .offerWritten

echo '4. the lender signs the offer, the renter opens the escrow with it'
sign lender "$lender" "/rentals/$id/offer" >/dev/null
api renter GET "/rentals/$id/offer" | jq -c '.open[]' | while read -r transaction; do
  jq -r '"   " + .purpose' <<<"$transaction"
  send <<<"$transaction"
done
await .funded
[[ ${UNTIL:-} != funded ]] || exit 0

echo '5. a certificate for the renter, and a login once the session is active'
ssh-keygen -q -t ed25519 -N '' -f "$work/id"
api renter POST "/rentals/$id/certificate" \
  "$(jq -n --rawfile key "$work/id.pub" --arg folder "$work" '{publicKey: $key, folder: $folder}')" >"$work/answer"
jq -r .certificate "$work/answer" >"$work/id-cert.pub"
jq -r .sshConfig "$work/answer" >"$work/ssh_config"
jq -r .knownHosts "$work/answer" >"$work/known_hosts"
await '.state == "ACTIVE"'
ssh -F "$work/ssh_config" "ch-$id" 'uname -sr; whoami; lspci'

echo '6. the renter ends early; a second login is refused'
api renter POST "/rentals/$id/end" | jq -c '{state, used, due}'
await '.state == "ENDED"'
if ssh -o ConnectTimeout=10 -F "$work/ssh_config" "ch-$id" true 2>"$work/refusal"; then
  echo 'the second login was not refused' >&2
  exit 1
fi
tail -n 1 "$work/refusal"

echo '7. both sign the receipt, and the escrow settles'
sign renter "$renter" "/rentals/$id/receipt" >/dev/null
sign lender "$lender" "/rentals/$id/receipt" >/dev/null
await '.state == "SETTLED"'
api renter GET "/rentals/$id" |
  jq -ce 'if (.settlement.paid | tonumber) + (.settlement.refunded | tonumber) == (.deposit | tonumber)
    then {deposit} + .settlement else error("the sum is not the deposit") end'
for party in lender renter; do
  api "$party" GET /account | jq -c '.withdraw // empty' | while read -r transaction; do
    jq -r '"   " + .purpose + " as the '"$party"'"' <<<"$transaction"
    send <<<"$transaction"
  done
done

echo '8. the calendar, the history and the audit log'
api renter GET "/rentals/$id/calendar" | head -n 1
api renter GET "/rentals/$id/history" | jq -c '[.[].type]'
api auditor GET /audit/checkpoint
api auditor GET /audit/key

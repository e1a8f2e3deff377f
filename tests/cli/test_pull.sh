#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `clipc pull`: a file that is not the model gets no final name, however the transfer ends; only one
# of two fetches; what was broken off is continued. (A transfer that succeeds: unit/test_hub*.)
. "$(dirname "$0")/lib.sh"

export CLIPC_CACHE=$work/cache
printf 'this is not the model\n' >wrong.pt

run pull RN50 --url "file://$work/wrong.pt"
check_code "another file" 3
check_err "another file" '^clipc: .*RN50'
check "another file: one line" test "$(wc -l <err)" -eq 1
check "another file: no final name" test ! -e cache/RN50.pt
run models --json
check_json "it is not cached" '[r["cached"] for r in rows if r["name"] == "RN50"] == [False]'
run info RN50
check_code "a model that is not here" 3

run pull RN50 --url "file://$work/none.pt"
check_code "no such file" 3
check "no such file: no final name" test ! -e cache/RN50.pt
run pull nonesuch
check_code "no such model" 3
check_err "no such model" '^clipc: nonesuch: '
run pull tiny
check_code "the built-in model" 0
check_out "the built-in model" '^tiny: built in$'
run pull -q tiny
check_lines "-q" 0
run pull --json tiny
check_json "JSON" 'row == {"name": "tiny", "path": None}'

# What is in the cache under the name is known as cached.
mkdir -p cache
printf 'x' >cache/RN50.pt
run models --json
check_json "it is cached" '[r["cached"] for r in rows if r["name"] == "RN50"] == [True]'
run pull tiny RN50 --json --url "file://$work/wrong.pt"
check_code "--url with two models" 2

# A limit on the size of files stands in for a full disk.
rm -rf cache
head -c 3000000 /dev/zero >large.pt
(
    trap '' XFSZ
    ulimit -f 1000
    exec "$clipc" pull RN50 --url "file://$work/large.pt"
) >out 2>err
code=$?
check_code "a full disk" 3
check_err "a full disk" '^clipc: .*/cache/RN50\.pt\.part: cannot write: '
check "a full disk: no final name" test ! -e cache/RN50.pt
check "a full disk: no lock is left" test ! -e cache/RN50.pt.lock

# The rest needs a mirror of our own: Python's, on the loopback interface. It answers /slow with
# half the file and then waits; it continues where it is asked to.
if [ -z "$python" ]; then
    finish
fi
cat >mirror.py <<'END'
import http.server, os, re, time

DATA = bytes(3000000)

class Mirror(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        with open("requests", "a") as log:
            log.write("%s %d\n" % (self.path, first))
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, len(DATA) - 1, len(DATA)))
        self.send_header("Content-Length", str(len(DATA) - first))
        self.end_headers()
        if self.path == "/slow":
            self.wfile.write(DATA[first:len(DATA) // 2])
            self.wfile.flush()
            time.sleep(60)
        else:
            self.wfile.write(DATA[first:])

    def log_message(self, *arguments):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
with open("port.new", "w") as file:
    file.write(str(server.server_port))
os.rename("port.new", "port")
server.serve_forever()
END
"$python" mirror.py 2>mirror.log &
mirror=$!
trap 'kill "$mirror" 2>/dev/null; rm -rf "$work"' EXIT

# wait_for COMMAND...: until it succeeds, ten seconds at most.
wait_for() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        "$@" && return
        sleep 0.05
    done
    return 1
}

half_is_there() {
    [ "$(stat -c %s cache/RN50.pt.part 2>/dev/null || echo 0)" -eq 1500000 ]
}

check "the mirror runs" wait_for test -s port
url=http://127.0.0.1:$(cat port)

run pull RN50 --url "$url/good"
if grep -q 'cannot be fetched' err; then # built without libcurl
    finish
fi
check_code "a mirror with another file" 3
check_err "a mirror with another file" '^clipc: RN50\.pt: SHA-256 is [0-9a-f]+, expected afeb0e10'
check "a mirror with another file: nothing is left" test -z "$(ls -A cache)"

for signal in INT TERM KILL; do
    rm -rf cache requests
    "$clipc" pull RN50 --url "$url/slow" >out 2>err &
    job=$!
    check "SIG$signal: half the file arrives" wait_for half_is_there
    kill -s "$signal" "$job"
    wait "$job" 2>/dev/null
    code=$?
    if [ "$signal" = KILL ]; then
        check_code "SIGKILL" 137
    else
        check_code "SIG$signal" 130
        check_err "SIG$signal" '^clipc: RN50\.pt: cancelled'
    fi
    check "SIG$signal: the part is kept, without a final name" half_is_there
    check "SIG$signal: no final name" test ! -e cache/RN50.pt
    run pull RN50 --url "$url/good"
    check_code "after SIG$signal" 3
    check "after SIG$signal: it goes on where it was, then begins anew as the sum is wrong" \
        test "$(tr '\n' , <requests)" = "/slow 0,/good 1500000,/good 0,"
    check "after SIG$signal: nothing is left" test -z "$(ls -A cache)"
done

# Two at once: the second waits, and a signal gets it out of that.
rm -rf cache requests
"$clipc" pull RN50 --url "$url/slow" >first.out 2>first.err &
first=$!
check "two at once: half the file arrives" wait_for half_is_there
"$clipc" pull RN50 --url "$url/good" >out 2>err &
second=$!
sleep 0.3
check "two at once: the second has asked for nothing" test "$(cat requests)" = "/slow 0"
kill -s INT "$second"
wait "$second"
code=$?
check_code "the second, interrupted" 130
check_err "the second, interrupted" 'cancelled while another process was fetching the file'
check "the second, interrupted: the first goes on" kill -0 "$first"
kill -s INT "$first"
wait "$first"
check "the first kept its part" half_is_there

finish

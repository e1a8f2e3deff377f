#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the tests of the kernels on AVX-512's real instructions where the processor has none: inside
# Bochs, which emulates a processor with AVX-512 F, BW, DQ, VL and VNNI (not BF16), instruction by
# instruction. Boots a Debian kernel with the test programs as its only files; takes ten minutes or
# more. On Debian 12, in a folder of its own:
#
#     apt-get install bochs bochsbios vgabios bochs-term busybox-static isolinux syslinux-common \
#         xorriso cpio
#     apt-get download linux-image-6.1.0-56-cloud-amd64       or any other kernel of the kind
#     scripts/test_in_bochs.sh BUILD KERNEL.deb [TEST...]     such as build/tests' test_row_kernels
#
# What the machine prints comes out here; fails unless every test passed.
set -euo pipefail

build=${1:?usage: test_in_bochs.sh BUILD KERNEL.deb [TEST...]}
package=${2:?usage: test_in_bochs.sh BUILD KERNEL.deb [TEST...]}
shift 2
tests=("$@")
if [ ${#tests[@]} -eq 0 ]; then
    tests=(test_pack test_row_kernels test_matrix_kernels)
fi

work=$(mktemp -d)
bochs_id=
# Ends what was started here, whichever way this ends.
clean_up() {
    if [ -n "$bochs_id" ]; then
        kill "$bochs_id" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap clean_up EXIT

# The files of the machine: busybox, the tests, the libraries that they load.
make_root() {
    local root=$work/root test library
    mkdir -p "$root/proc" "$root/bin"
    cp /bin/busybox "$root/bin/"
    for test in "${tests[@]}"; do
        cp "$build/tests/$test" "$root/"
        while read -r library; do
            install -D "$library" "$root$library"
        done < <(ldd "$build/tests/$test" | grep -o '/[^ ]*')
    done
    {
        printf '#!/bin/busybox sh\n/bin/busybox mount -t proc none /proc\nfailed=0\n'
        printf '/bin/busybox grep -m1 "^model name" /proc/cpuinfo\n'
        for test in "${tests[@]}"; do
            printf 'echo "==== %s"; /%s || failed=1\n' "$test" "$test"
        done
        printf '[ $failed = 0 ] && echo "==== all passed"\n'
        printf 'while :; do echo "==== end"; /bin/busybox sleep 1; done\n'
    } >"$root/init"
    chmod +x "$root/init"
}

# What Bochs has no need of or gets wrong is left out; see make_cd.
kernel_options=('console=ttyS0,115200' quiet panic=-1 acpi=off lsm=capability tsc=reliable
    mitigations=off noxsaves
    'clearcpuid=xsavec,xsaveopt,pku,fsgsbase,rdpid,pcid,invpcid,umip,smap,erms,fsrm'
    nopcid nopti nokaslr lpj=1000000)

# A CD that boots them. The parameters keep the kernel off what Bochs 2.7 gets wrong: compacted
# register saving, protection keys, ACPI's way into system management, and faults in some features.
make_cd() {
    local cd=$work/cd
    mkdir -p "$cd/isolinux"
    (cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$cd/initrd.gz"
    dpkg-deb -x "$package" "$work/kernel"
    cp "$work"/kernel/boot/vmlinuz-* "$cd/vmlinuz"
    cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$cd/isolinux/"
    cat >"$cd/isolinux/isolinux.cfg" <<END
DEFAULT linux
PROMPT 0
LABEL linux
 KERNEL /vmlinuz
 INITRD /initrd.gz
 APPEND ${kernel_options[*]}
END
    xorriso -as mkisofs -quiet -o "$work/boot.iso" -b isolinux/isolinux.bin -c isolinux/boot.cat \
        -no-emul-boot -boot-load-size 4 -boot-info-table "$cd"
}

make_machine() {
    : >"$work/serial"
    cat >"$work/bochsrc" <<END
megs: 512
cpu: model=corei7_icelake_u, count=1, ips=50000000
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
boot: cdrom
ata0: enabled=1
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
com1: enabled=1, mode=file, dev=$work/serial
display_library: term
sound: waveoutdrv=dummy
log: $work/log
panic: action=fatal
error: action=ignore
END
    printf 'continue\n' >"$work/commands" # Debian's Bochs waits for its debugger's commands
}

# Bochs's display wants a terminal.
start_machine() {
    TERM=xterm nice -n 19 python3 - "$work" <<'END' &
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.chdir(sys.argv[1])
    os.execvp("bochs", ["bochs", "-q", "-f", "bochsrc", "-rc", "commands"])
import signal
signal.signal(signal.SIGTERM, lambda *_: (os.kill(pid, signal.SIGKILL), sys.exit(1)))
try:
    while os.read(terminal, 65536):
        pass
except OSError:
    pass
END
    bochs_id=$!
}

make_root
make_cd
make_machine
start_machine
tail -f "$work/serial" --pid="$bochs_id" | sed -u 's/\r$//; /^==== end/q' || true
grep -q '^==== all passed' "$work/serial"

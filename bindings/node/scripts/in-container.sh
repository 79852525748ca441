#!/bin/sh
# Builds and tries the native package inside the oldest Linux it is to run on: AlmaLinux 8 (glibc 2.28)
# or Alpine (musl). Run from the root of the checkout, as root of a container of its own.
set -eu
if [ -f /etc/alpine-release ]; then
    apk add --no-cache build-base curl nodejs npm
    # A library that Node loads cannot bring a C library of its own.
    export RUSTFLAGS="-C target-feature=-crt-static"
else
    dnf -y -q module enable nodejs:20
    dnf -y -q install gcc gcc-c++ make nodejs npm
fi
# rust-toolchain.toml chooses the version.
curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y -q --no-modify-path --default-toolchain none
export PATH="$HOME/.cargo/bin:$PATH"
cd bindings/node
npm ci --no-audit --no-fund
npm run --silent build -- --release
npm run --silent packed

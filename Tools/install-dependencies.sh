#!/bin/sh
# Installs what a build needs and the machine lacks; silent when nothing is missing.
#
#   install-dependencies.sh build   the libraries that Norma links, and what the checks run on
#   install-dependencies.sh demo    the same, and the images that the demonstration explains
#   install-dependencies.sh count   the same, and what counts instructions
#   install-dependencies.sh mpi     the same as for demo, and Open MPI
set -eu

purpose=${1:-build}

# One line "<package>" for each missing Debian or Ubuntu package.
missing_debian_packages() {
  wanted="libdnnl-dev zlib1g-dev libpng-dev libjpeg-dev python3"
  [ "$purpose" = demo ] && wanted="$wanted dataset-fashion-mnist"
  [ "$purpose" = mpi ] && wanted="$wanted dataset-fashion-mnist libopenmpi-dev openmpi-bin iproute2"
  [ "$purpose" = count ] && wanted="$wanted valgrind binutils"
  for package in $wanted; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=none
    [ "$status" = installed ] || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "norma: run this as root, or install sudo: $*" >&2
    exit 1
  fi
}

install_debian() {
  packages=$(missing_debian_packages)
  [ -n "$packages" ] || return 0
  echo "norma: installing" $packages
  log=$(mktemp)
  # Word splitting is meant: one argument for each package.
  if ! { as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq -y --no-install-recommends $packages; } >"$log" 2>&1; then
    cat "$log" >&2
    echo "norma: could not install" $packages >&2
    exit 1
  fi
  rm -f "$log"
}

install_macos() {
  if ! command -v brew >/dev/null; then
    echo "norma: install Homebrew (https://brew.sh), or oneDNN, zlib, libpng and libjpeg-turbo in another way" >&2
    exit 1
  fi
  formulas="onednn zlib libpng jpeg-turbo"
  [ "$purpose" = mpi ] && formulas="$formulas open-mpi"
  for formula in $formulas; do
    brew list --formula "$formula" >/dev/null 2>&1 || brew install --quiet "$formula"
  done
}

if [ "$(uname -s)" = Darwin ]; then
  install_macos
elif command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; then
  install_debian
elif [ ! -f /usr/include/zlib.h ] || [ ! -f /usr/include/png.h ] || [ ! -f /usr/include/jpeglib.h ] || ! ls /usr/include/dnnl.h /usr/include/*/dnnl.h >/dev/null 2>&1; then
  echo "norma: install the development packages of oneDNN, zlib, libpng and libjpeg-turbo" \
    "(Fedora: onednn-devel zlib-devel libpng-devel libjpeg-turbo-devel; Arch: onednn zlib libpng libjpeg-turbo) and run this again" >&2
  exit 1
fi

#!/bin/sh
# Installs what pip cannot: Tesseract with its English data, and the venv module where Debian split it off.
# Does nothing where everything is there; elsewhere than on Debian and Ubuntu it says what to install.
set -eu
PYTHON=${PYTHON:-python3}

if ! command -v "$PYTHON" >/dev/null 2>&1; then
  echo "error: $PYTHON was not found; install Python 3.11 or newer, or run make PYTHON=/path/to/python" >&2
  exit 4
fi
if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "error: $("$PYTHON" --version) is too old; run make PYTHON=/path/to/python3.11 (or newer)" >&2
  exit 4
fi

missing=""
command -v tesseract >/dev/null 2>&1 || missing="$missing tesseract-ocr tesseract-ocr-eng"
"$PYTHON" -c 'import ensurepip, venv' >/dev/null 2>&1 || missing="$missing python3-venv"
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "error: this needs:$missing (Debian's names); install them with your system's package manager and run again" >&2
  exit 4
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "error: not root and no sudo; ask an administrator to run: apt-get install$missing" >&2
    exit 4
  fi
  as_root=sudo
fi
echo "installing$missing"
$as_root apt-get update -q >/dev/null
# shellcheck disable=SC2086 # the list is meant to split
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends $missing >/dev/null

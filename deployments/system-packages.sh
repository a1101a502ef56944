#!/bin/sh
# Installs what pip cannot: Tesseract with its English data, and the venv module, which Debian packages separately.
# With the argument `tests`, also installs Chromium, PostgreSQL, poppler-utils and the DejaVu fonts, without which some
# tests are skipped. Does nothing if everything is installed; on systems other than Debian and Ubuntu it prints what to
# install.
set -eu
PYTHON=${PYTHON:-python3}
WITH=${1:-}

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
wanted=""
if [ "$WITH" = tests ]; then
  command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || wanted="$wanted chromium"
  command -v pdftotext >/dev/null 2>&1 || wanted="$wanted poppler-utils"
  [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || wanted="$wanted fonts-dejavu-core"
  command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
fi
[ -n "$missing$wanted" ] || exit 0

as_root=""
hindrance=""
if ! command -v apt-get >/dev/null 2>&1; then
  hindrance="there is no apt-get here"
elif [ "$(id -u)" -ne 0 ]; then
  as_root=sudo
  command -v sudo >/dev/null 2>&1 || hindrance="not root and no sudo"
fi

install() {
  echo "installing$1"
  # shellcheck disable=SC2086 # the list is meant to split
  $as_root apt-get update -q >/dev/null &&
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -q --no-install-recommends $1 >/dev/null
}

if [ -n "$missing" ]; then
  if [ -n "$hindrance" ]; then
    echo "error: this needs:$missing (Debian's names), and $hindrance; install them, or ask an administrator, and run again" >&2
    exit 4
  fi
  install "$missing"
fi
if [ -n "$wanted" ] && { [ -n "$hindrance" ] || ! install "$wanted"; }; then
  echo "note: some tests are skipped without:$wanted (Debian's names); ${hindrance:-apt-get could not install them}" >&2
fi

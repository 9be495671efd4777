#!/bin/sh
# Remakes the model zoo: ./make.sh [WORK-FOLDER]. Needs Python 3.11+, apt-get, dpkg-deb, npm and mvn.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${1:-$here/../../target/zoo}
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
  python3 -m venv "$work/venv"
fi
"$work/venv/bin/python" -m pip install --quiet -r "$here/requirements.txt"
OMP_NUM_THREADS=1 nice -n 10 "$work/venv/bin/python" "$here/make_zoo.py" --work "$work"

#!/bin/sh
# Makes .venv what requirements.lock says; does nothing, at once, when it already is.
# The first line of what it says when something is missing names the package to install.
set -eu

lock=requirements.lock
done_for=.venv/installed.lock

cmp -s "$lock" "$done_for" && exit 0

# A Python of 3.11 or newer, by whatever name.
python=
for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3.14; do
    if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done

how() { # how this system installs what Debian calls $1 and Fedora calls $2
    if command -v apt-get >/dev/null 2>&1; then echo "apt install $1"
    elif command -v dnf >/dev/null 2>&1; then echo "dnf install $2"
    elif command -v pacman >/dev/null 2>&1; then echo "pacman -S python"
    else echo "install the package $1"; fi
}

if [ -z "$python" ]; then
    echo "Python 3.11 or newer is missing: $(how 'python3 python3-venv' python3.11)" >&2
    exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Python's venv is missing: $(how "python$version-venv" python3-pip)" >&2
    exit 1
fi

echo "Building .venv from $lock …"
if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    "$python" -m venv --clear .venv
fi
.venv/bin/python -m uv --version >/dev/null 2>&1 ||
    .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
VIRTUAL_ENV=$PWD/.venv .venv/bin/python -m uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock"
cat > .venv/bin/bordereau <<COMMAND
#!/bin/sh
# The command-line tool: bordereau verify FILE…, bordereau reference import FILE --year YEAR
PYTHONPATH="$PWD" exec "$PWD/.venv/bin/python" -m services.certificates.cli "\$@"
COMMAND
chmod +x .venv/bin/bordereau
cp "$lock" "$done_for"

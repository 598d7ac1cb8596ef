# Stands in for configure and make: VERSION OUT MODULE...
set -eu
version=$1 out=$2
shift 2
mkdir -p "$out/bin" "$out/lib/python"
printf '%s\n' "$@" > "$out/lib/python/modules"
cat > "$out/bin/python3" <<END
#!/bin/sh
case "\$1" in
  --version) echo "Python $version" ;;
  --modules) cat /usr/local/lib/python/modules ;;
  *) exit 2 ;;
esac
END
chmod 0755 "$out/bin/python3"

"""`python3 -m light YAML` prints the settings in a YAML text as one line of JSON."""

import json
import sys

import light

if len(sys.argv) != 2:
    sys.exit("usage: python3 -m light YAML")
try:
    print(json.dumps(light.read_settings(sys.argv[1]), sort_keys=True))
except ValueError as error:
    sys.exit(f"light: {error}")

"""Settings and mock text for small model services."""

import hashlib
from distutils.util import strtobool

import yaml

__version__ = "0.1.0"

_WORDS = (
    "amber anchor basin beacon cedar cinder delta drift ember fable garnet harbor "
    "island juniper kernel lantern meadow nectar orchard pebble quartz river summit thicket"
).split()


def read_settings(text: str) -> dict:
    """The settings in a YAML mapping; texts such as "on" and "no" become booleans.

    Raises ValueError where the text is not a YAML mapping.
    """
    try:
        settings = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from error
    if not isinstance(settings, dict):
        raise ValueError("settings have to be a mapping")
    return {str(name): _as_flag(value) for name, value in settings.items()}


def complete(prompt: str, max_tokens: int) -> list[str]:
    """`max_tokens` words that depend on nothing but the prompt."""
    seed = hashlib.sha256(prompt.encode()).digest()
    picks = (hashlib.sha256(seed + place.to_bytes(4, "big")).digest()[0] for place in range(max_tokens))
    return [_WORDS[pick % len(_WORDS)] for pick in picks]


def _as_flag(value):
    if not isinstance(value, str):
        return value
    try:
        return bool(strtobool(value))
    except ValueError:
        return value

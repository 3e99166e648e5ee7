"""docker-compose.yml as Compose reads it: anchors and `<<` merged, variables put in; and the part of its schema that is used."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
FILLED = {
    "SECRET_KEY": "a-key-of-the-test-" + "k" * 50,
    "FIELD_KEYS": "another-key-of-the-test-" + "f" * 50,
    "POSTGRES_PASSWORD": "secret",
    "SITE_URL": "http://localhost:8000",
    "ALLOWED_HOSTS": "127.0.0.1",
}
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<sign>:[-?])(?P<rest>[^}]*))?\}")

STRINGS = {"type": "array", "items": {"type": "string"}}
DURATION = {"type": "string", "pattern": r"^(\d+(ms|s|m|h))+$"}
COMMAND = {"type": "array", "items": {"type": "string"}, "minItems": 1}
SERVICE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image"],
    "properties": {
        "build": {"const": "."},
        "image": {"type": "string", "pattern": r"^[a-z0-9/-]+:v?\d+\.\d+[\w.-]*$"},
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "init": {"type": "boolean"},
        "cap_drop": STRINGS,
        "security_opt": STRINGS,
        "command": COMMAND,
        "environment": {"type": "object", "additionalProperties": {"type": "string"}},
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^(\d+\.\d+\.\d+\.\d+:)?\d+:\d+$"}},
        "volumes": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+:/"}},
        "shm_size": {"type": "string", "pattern": r"^\d+mb$"},
        "stop_grace_period": DURATION,
        "healthcheck": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "disable": {"type": "boolean"},
                "test": {"type": "array", "prefixItems": [{"enum": ["CMD", "CMD-SHELL", "NONE"]}], "minItems": 2},
                "interval": DURATION,
                "timeout": DURATION,
                "start_period": DURATION,
                "retries": {"type": "integer", "minimum": 1},
            },
        },
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["condition"],
                "properties": {
                    "condition": {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}
                },
            },
        },
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["services"],
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "additionalProperties": SERVICE},
        "volumes": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
    },
}


class Missing(Exception):  # noqa: N818  # it is read as a sentence: the variable is missing
    """A variable that has no default is not set."""


def put_in(value, environment):
    """Return a value with its variables put in, as Compose does: `${NAME}`, `${NAME:-default}`, `${NAME:?why}`."""

    def one(found):
        given = environment.get(found["name"], "")
        if found["sign"] == ":?" and not given:
            raise Missing(f"{found['name']}: {found['rest']}")
        return given or (found["rest"] if found["sign"] == ":-" else "")

    if isinstance(value, dict):
        return {key: put_in(item, environment) for key, item in value.items()}
    if isinstance(value, list):
        return [put_in(item, environment) for item in value]
    return VARIABLE.sub(one, value) if isinstance(value, str) else value


def composed(environment):
    """Return the file with its variables put in; raise Missing where one is needed and not set."""
    return put_in(yaml.safe_load((ROOT / "docker-compose.yml").read_text()), environment)


def documented():
    """Return the variables that .env.example names, those in comments included."""
    return set(re.findall(r"(?m)^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text()))


def used():
    """Return the variables that docker-compose.yml asks for."""
    return {found["name"] for found in VARIABLE.finditer((ROOT / "docker-compose.yml").read_text())}


def dockerfile():
    """Return the Dockerfile's instructions, lines that go on joined, comments left out."""
    text = "\n".join(line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    return [tuple(line.split(None, 1)) for line in text.replace("\\\n", " ").splitlines() if line.strip()]

"""A configuration pushed by the edge: taken or refused whole, answered with the version in force."""

import json

from inferagent.lab.connector.ingress import Configuration, PushRefusedError
from inferagent.lab.connector.logs import Log
from inferagent.lab.connector.metrics import Metrics
from inferagent.lab.wire.stream import Stream, StreamFailedError


async def take_push(stream: Stream, configuration: Configuration, metrics: Metrics, log: Log) -> None:
    try:
        body = b""
        while data := await stream.read():
            body += data
        error = apply_push(body, configuration, metrics, log)
        answer = {"lastAppliedVersion": configuration.version, "err": error}
        stream.respond([(b":status", b"200")])
        await stream.send(json.dumps(answer).encode(), end=True)
    except StreamFailedError:
        return


def apply_push(body: bytes, configuration: Configuration, metrics: Metrics, log: Log) -> str | None:
    """Gives why it was refused."""
    try:
        push = json.loads(body)
        version, config = int(push["version"]), push["config"]
    except (ValueError, KeyError, TypeError) as error:
        log.error("Failed to deserialize new configuration", error=repr(error))
        return str(error)
    before = configuration.version
    try:
        configuration.update(version, config)
    except PushRefusedError as error:
        what = "Failed to deserialize new configuration"
        log.error(what, error=str(error), version=version, config=json.dumps(config))
        return str(error)
    if configuration.version != before:
        metrics.config_version = version
        log.info("Updated to new configuration", version=version, config=json.dumps(config))
    return None

"""How the last life of a service ended, in words."""

from inferagent.adapters.units.systemd_properties import DUMPED, KILLED, Properties

# What systemd itself exits with when it cannot run the program.
OF_SYSTEMD = {
    200: "its working folder cannot be entered",
    203: "its program cannot be executed",
    209: "its output cannot be opened",
    216: "there is no such group",
    217: "there is no such user",
    226: "its view of the file system cannot be made",
    243: "its credentials cannot be read",
}
OF_RESULT = {
    "oom-kill": "out of memory",
    "watchdog": "its watchdog was not fed",
    "timeout": "it took too long",
    "protocol": "it did not say that it is ready",
}


def describe(properties: Properties) -> str:
    """ "" while nothing has ended."""
    code, status = properties.code, properties.status
    why = OF_RESULT.get(properties.result, "")
    if not code:
        return f"cannot be started ({properties.result})" if properties.result not in ("success", "") else ""
    if code in (KILLED, DUMPED):
        how = f"killed by signal {status}"
    else:
        how, why = f"exit code {status}", OF_SYSTEMD.get(status, why)
    return f"{how} ({why})" if why else how


def gave_up(properties: Properties, last: str) -> str:
    burst, window = properties.burst, properties.window
    limit = f"after {burst} starts in {window:g} s" if burst and window else "at the start limit"
    return f"gave up {limit}, the last: {last}" if last else f"gave up {limit}"

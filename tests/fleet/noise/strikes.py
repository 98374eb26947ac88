"""How the real faults of the trace strike a host, and how each is undone."""

from random import Random

from tests.fleet.engine import FOR_EVER, Request
from tests.fleet.host import Host

from inferagent.model.tunnel import IngressRule


def killed(host: Host, random: Random) -> None:
    host.engine.kill()


def killed_for_good(host: Host, random: Random) -> None:
    host.engine.supervised = False
    host.engine.kill("exit code 0")


def supervised(host: Host) -> None:
    host.engine.supervised = True


def flash(host: Host, random: Random) -> None:
    host.engine.flash()


def hung(host: Host, random: Random) -> None:
    host.engine.ills.hung_until = FOR_EVER


def stalled(host: Host, random: Random) -> None:
    """Ends by itself before any engine is restarted."""
    host.engine.ills.hung_until = host.clock.now() + 55.0


def fragile(host: Host, random: Random) -> None:
    """Hangs some time after it has begun to work."""
    host.engine.ills.hangs_under_load = random.uniform(5.0, 20.0)
    host.take(Request(120.0))


def sturdy(host: Host) -> None:
    host.engine.ills.hangs_under_load = 0.0


def wrong(host: Host, random: Random) -> None:
    host.engine.ills.wrong = True


def right(host: Host) -> None:
    host.engine.ills.wrong = False


def refuses(host: Host, random: Random) -> None:
    host.engine.ills.refuses = True


def no_model(host: Host, random: Random) -> None:
    host.engine.ills.no_model = True


def model_back(host: Host) -> None:
    host.engine.ills.no_model = False


def start_stuck(host: Host, random: Random) -> None:
    """Dies, and its next life never comes up."""
    host.engine.ills.load_stuck = True
    host.engine.kill()


def unstuck(host: Host) -> None:
    host.engine.ills.load_stuck = False


def engine_stopped(host: Host, random: Random) -> None:
    host.engine.stop(person=True)


def engine_started(host: Host) -> None:
    host.engine.spawn()


def degraded(host: Host, random: Random) -> None:
    host.engine.ills.degraded = "model chat runs on the CPU"


def whole(host: Host) -> None:
    host.engine.ills.degraded = ""
    host.engine.flash()


def connector_killed(host: Host, random: Random) -> None:
    host.connector.kill()


def connector_stopped(host: Host, random: Random) -> None:
    host.connector.stop(person=True)


def connector_started(host: Host) -> None:
    host.connector.spawn()


def misled(host: Host, random: Random) -> None:
    host.connector.ingress = (IngressRule("", "", "http_status:404"),)


def led(host: Host) -> None:
    host.connector.ingress = host.terms.ingress


def gpu_lost(host: Host, random: Random) -> None:
    """The engine does not notice before its next step, and then never comes back from it."""
    host.gpu_fault = "lost"
    host.engine.ills.hung_until = FOR_EVER


def gpu_takes_engine(host: Host, random: Random) -> None:
    """The engine dies of it, and starts in vain."""
    host.gpu_fault = "lost"
    host.engine.ills.load_stuck = True
    host.engine.kill("killed by signal 6")


def line_cut(host: Host, random: Random) -> None:
    """The trace turns the line off and on."""

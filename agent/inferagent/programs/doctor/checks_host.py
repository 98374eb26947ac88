"""Checks of the host: clock, disks, units, the cloud that it runs in; and of the agent itself."""

from collections.abc import Mapping

from inferagent.config.settings import Settings
from inferagent.model.desired import EngineKind, Mode
from inferagent.model.membership import MembershipKind
from inferagent.programs.doctor.looks_config import SUDO, settings
from inferagent.programs.doctor.looks_here import READY, STATUS
from inferagent.programs.doctor.looks_host import AGENT_UNITS, SKEW, SPACE, UNITS, UPDATER, VM, verbs
from inferagent.programs.doctor.sight import Sight
from inferagent.programs.doctor.values import listed, text
from inferagent.programs.doctor.verdict import CannotTellError, Check, Hop, Outcome, fail, ok, unknown, warn

WRONG_CLOCK, ODD_CLOCK = 60.0, 10.0  # seconds
LEAST, LITTLE = 200 << 20, 2 << 30  # bytes
GB = 1 << 30
AS_INTENDED, DEGRADED, OUT = 0, 1, 4
ENABLED = ("enabled", "enabled-runtime", "static", "indirect", "generated", "linked", "alias")


async def clock(sight: Sight) -> Outcome:
    """A clock that is far off breaks TLS, tokens that expire, and every comparison of logs."""
    skew = await sight.see(SKEW)
    how = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} Cloudflare's"
    if abs(skew) > WRONG_CLOCK:
        return fail(f"the clock is {how}", "sudo timedatectl set-ntp true")
    if abs(skew) > ODD_CLOCK:
        return warn(f"the clock is {how}", "timedatectl timesync-status; sudo timedatectl set-ntp true")
    return ok("agrees with Cloudflare's")


async def disk(sight: Sight) -> Outcome:
    spaces = await sight.see(SPACE)
    for space in spaces:
        if space.free < LEAST:
            return fail(
                f"{space.folder}: {space.free / GB:.1f} GB free for {space.what}",
                f"sudo du -xhd1 {space.folder} | sort -h | tail; sudo journalctl --vacuum-size=200M",
            )
    tight = min(spaces, key=lambda space: space.free)
    if tight.free < LITTLE:
        return warn(
            f"{tight.folder}: {tight.free / GB:.1f} GB free for {tight.what}",
            f"sudo du -xhd1 {tight.folder} | sort -h | tail",
        )
    return ok(f"at least {tight.free / GB:.0f} GB free")


async def units(sight: Sight) -> Outcome:
    """What does not start at boot is missing after the next one."""
    seen = await sight.see(UNITS)
    for name in AGENT_UNITS[:1]:
        state = seen[name]
        if state.get("LoadState") != "loaded":
            return fail(
                f"{name} is {state.get('LoadState')}", "install the package again, or unmask the unit"
            )
        if state.get("UnitFileState") not in ENABLED:
            return fail(f"{name} does not start at boot", f"sudo systemctl enable --now {name}")
        if state.get("ActiveState") not in ("active", "reloading", "activating"):
            return fail(f"{name} is {state.get('ActiveState')}", f"sudo systemctl start {name}")
    helpers = [name for name in AGENT_UNITS[1:] if seen[name].get("LoadState") == "masked"]
    if helpers:
        return fail(f"{listed(helpers)} is masked", f"sudo systemctl unmask {helpers[0]}")
    return ok("the agent starts at boot and runs")


async def parts(sight: Sight) -> Outcome:
    """Engine and connector where systemd runs them: there, started at boot, and again after any end."""
    seen, config = await sight.see(UNITS), await settings(sight)
    units = {"engine": config.only_engine.unit, "connector": config.connector.unit}
    for part, name in units.items():
        wrong = _at_boot(part, name, seen[name], config) or _doors(part, seen, config) if name else None
        if wrong is not None:
            return wrong
    if seen[UPDATER].get("UnitFileState") == "enabled":
        return warn(
            "cloudflared-update.timer restarts the connector under open requests",
            f"sudo systemctl disable --now {UPDATER}",
        )
    return ok(listed([name for name in units.values() if name]) if any(units.values()) else "none is a unit")


def _at_boot(part: str, name: str, state: Mapping[str, str], config: Settings) -> Outcome | None:
    if state.get("LoadState") in ("masked", "not-found"):
        return fail(f"the {part}'s unit {name} is {state['LoadState']}", f"sudo systemctl unmask {name}")
    by_agent = part == "connector" and config.membership.kind is MembershipKind.REPLICA
    if state.get("UnitFileState") not in ENABLED and not by_agent:
        return warn(f"the {part}'s unit {name} does not start at boot", f"sudo systemctl enable {name}")
    ends_well = part == "engine" and config.only_engine.kind is EngineKind.VLLM
    if ends_well and state.get("Restart") != "always":
        return warn(
            f"{name} has Restart={state.get('Restart')}: vLLM ends with code 0 when its engine dies",
            f"sudo systemctl edit {name}: [Service] Restart=always",
        )
    return None


def _doors(part: str, seen: Mapping[str, Mapping[str, str]], config: Settings) -> Outcome | None:
    """An agent that may act has others start and stop the unit: it has no rights itself."""
    shut = [door for door in verbs(part) if seen.get(door, {}).get("ActiveState") != "active"]
    if not shut or config.mode is Mode.OBSERVE:
        return None
    verb = shut[0].removesuffix(".socket").rpartition("-")[2]
    return fail(
        f"the agent cannot {verb} the {part}: {shut[0]} is shut",
        f"sudo systemctl enable --now {' '.join(shut)}",
    )


async def spot(sight: Sight) -> Outcome:
    """Google stops a Spot VM and leaves it so: only a group of instances brings it back."""
    vm = await sight.see(VM)
    group = "instanceGroupManagers" in vm.get("attributes/created-by", "")
    if vm.get("scheduling/preemptible", "").upper() == "TRUE" and not group:
        return warn(
            "a Spot VM that nobody starts again once it was taken away",
            "put it into a managed instance group of size 1 (gcloud compute instance-groups managed create)",
        )
    if vm.get("scheduling/automatic-restart", "TRUE").upper() == "FALSE" and not group:
        return warn(
            "this VM is not started again after a failure or maintenance",
            "gcloud compute instances set-scheduling NAME --restart-on-failure",
        )
    return ok("started again by its instance group" if group else "started again after maintenance")


async def doors(sight: Sight) -> Outcome:
    """The tunnel needs nothing to come in."""
    vm = await sight.see(VM)
    open_tags = [tag for tag in ("http-server", "https-server") if f'"{tag}"' in vm.get("tags", "")]
    if open_tags:
        return warn(
            f"the VM lets the internet in on HTTP (tag {listed(open_tags)}), the tunnel needs nothing of it",
            f"gcloud compute instances remove-tags NAME --tags={','.join(open_tags)}",
        )
    return ok("nothing is let in for the tunnel")


async def agent(sight: Sight) -> Outcome:
    try:
        status = await sight.see(STATUS)
    except CannotTellError as error:
        if "permission denied" in str(error):
            return unknown(str(error), SUDO)
        return fail(str(error), "sudo systemctl start inferagent; journalctl -u inferagent -n 50")
    return ok(f"version {text(status, 'agent_version')}, phase {text(status, 'phase')}")


async def said(sight: Sight) -> Outcome:
    """What nothing else here explains."""
    status = await sight.see(STATUS)
    code, sentence, cure = status.get("exit_code"), text(status, "sentence"), text(status, "cure")
    if code == OUT:
        return fail(f"out although it should be in: {sentence}", cure or "inferagent status")
    if code == DEGRADED:
        return warn(sentence, cure or "inferagent status")
    return ok(sentence or text(status, "phase"))


async def ready(sight: Sight) -> Outcome:
    """The monitor's door on this host: it has to stand although the agent sleeps."""
    port = (await settings(sight)).ready.port
    try:
        seen = await sight.see(READY)
    except CannotTellError as error:
        return fail(str(error), "sudo systemctl restart inferagent-ready.socket inferagent")
    if not seen.document:
        return fail(
            f"another program answers at port {port} ({seen.status})",
            f"sudo ss -ltnp 'sport = :{port}'; or another port in [ready]",
        )
    return ok(f"answers {seen.status}, phase {seen.document.get('phase')}")


READY_CHECK = Check("ready.here", Hop.READY, "it answers on this host", ready, ("config.valid",))
CHECKS = (
    Check("host.clock", Hop.HOST, "the clock is right", clock, ("edge.tls",)),
    Check("host.disk", Hop.HOST, "there is space", disk, ("config.valid",)),
    Check("host.units", Hop.UNITS, "the agent's units", units, ("config.valid",)),
    Check("host.parts", Hop.UNITS, "the units of its parts", parts, ("config.valid",)),
    Check("host.spot", Hop.HOST, "the cloud brings it back", spot),
    Check("host.doors", Hop.HOST, "the cloud's firewall", doors),
    Check("agent.answers", Hop.AGENT, "it answers", agent, ("config.valid", "host.units")),
)

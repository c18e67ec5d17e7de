"""The environment of the measurements: substitutes, images, host."""

from __future__ import annotations

import re

from kit.records.images import ArmImage, Component
from kit.report.document import Block, Code, Fold, Link, List, Paragraph, Strong, Table, Text, facts
from kit.report.model import ArmFacts, ReportModel
from kit.report.numbers import NONE, fixed, gigabytes, megabytes, scaled
from kit.report.origin import engine_text, shard_text, substitute_text
from kit.report.sections.gpu import summary
from kit.report.text import plain
from kit.results.names import SBOMS, sbom_name

_BRIEF = 120  # letters of a reason in the table
_SHORT = 19  # "sha256:" and 12 digits, as engines shorten an id
_PLAIN_NAME = re.compile(r"[\w.-]+")


def fidelity(model: ReportModel) -> tuple[Block, ...]:
    """Return the published and the used version of each component; long reasons below."""
    rows = model.header.fidelity
    if not rows:
        return ()
    header = ("component", "expected", "actual", "fidelity", "reason")
    long = tuple((f"{row.name}: ", substitute_text(row)) for row in rows if _is_long(row))
    folded = (Fold("Complete reasons", (List(long),)),) if long else ()
    named = {row.name for row in rows}
    unknown = [
        (name, wanted, "no entry", NONE, "fidelity not recorded for these images")
        for name, wanted in model.study.paper.environment.items()
        if name not in named
    ]
    return Table(header, (*map(_component, rows), *unknown)), *folded


def _component(row: Component) -> tuple[Text, ...]:
    return (
        row.name,
        row.wanted,
        row.got,
        "exact" if row.exact else Strong("substituted"),
        plain(row.why, _BRIEF),
    )


def _is_long(row: Component) -> bool:
    return bool(row.details) or len(row.why) > _BRIEF


def where(model: ReportModel) -> tuple[Block, ...]:
    """Return images and versions of every arm, digests, shards, then the host and its limits."""
    names = sorted({name for arm in model.arms for name in arm.versions})
    described = {arm.arm: _image(arm.image) for arm in model.arms}
    rows: list[tuple[Text, ...]] = [
        (what, *(described[arm.arm][what] for arm in model.arms)) for what in _image(None)
    ]
    rows += [(name, *(_versions(arm, name) for arm in model.arms)) for name in names]
    rows.append(("clock", *(", ".join(arm.clocks) or NONE for arm in model.arms)))
    table = Table(("", *(arm.arm for arm in model.arms)), tuple(rows))
    return table, *_digests(model), *_gathered(model), facts(_host(model))


def _image(image: ArmImage | None) -> dict[str, Text]:
    if image is None:
        return dict.fromkeys(
            ("reference", "image id", "content digest", "bill of materials", "size (MB)"), NONE
        )
    digest = image.content_sha256
    return {
        "reference": Code(image.reference),
        "image id": Code(image.image_id[:_SHORT]),
        "content digest": Code(digest[:_SHORT]) if digest else NONE,
        "bill of materials": _sbom(image),
        "size (MB)": megabytes(image.size_bytes),
    }


def _digests(model: ReportModel) -> tuple[Block, ...]:
    """Return every complete digest; two of them in the table would be wider than a page."""
    lines: list[Text] = []
    for image in (arm.image for arm in model.arms if arm.image is not None):
        digest = image.content_sha256
        content: tuple[str | Code, ...] = (", content ", Code(digest)) if digest else ()
        lines.append((f"{image.arm}: image id ", Code(image.image_id), *content))
    return (Fold("Complete digests of the images", (List(tuple(lines)),)),) if lines else ()


def _sbom(image: ArmImage) -> Text:
    """Return a link to the image's bill of materials; a dash if there is none."""
    if not image.content_sha256 or not _PLAIN_NAME.fullmatch(image.arm):
        return NONE
    return Link("CycloneDX", f"{SBOMS}/{sbom_name(image.arm)}")


def _versions(arm: ArmFacts, name: str) -> str:
    """Return the version, or all of them if the image changed during the session."""
    return " / ".join(arm.versions.get(name, ())) or NONE


def _host(model: ReportModel) -> tuple[tuple[str, str], ...]:
    host, limits = model.header.host, model.header.plan.limits
    return (
        ("CPU", f"{host.cpu_model or 'not known'}, {host.cpus} CPUs"),
        ("frequency governor", host.governor),
        ("memory", gigabytes(host.memory_bytes)),
        ("operating system", host.operating_system),
        ("kernel", host.kernel),
        ("virtualization", host.virtualization),
        ("engine", engine_text(host.engine)),
        ("cgroup version", host.cgroup_version),
        (
            "limits per run",
            f"CPUs {limits.cpuset or 'all'}, {gigabytes(limits.memory_bytes)} of memory, "
            f"{fixed(limits.timeout_s)} s",
        ),
        ("load and steal", _load(model)),
        *(
            (f"shard {number}", shard_text(made))
            for number, made in enumerate(model.header.shards, 1)
        ),
        *(summary(model.gpu) if model.gpu is not None else ()),
    )


def _gathered(model: ReportModel) -> tuple[Paragraph, ...]:
    shards = len(model.header.shards)
    if not shards:
        return ()
    return (
        Paragraph(
            f"Merged from {shards} shards. The table below gives the host and the limits of the "
            "first shard, and the CPU and the limits of each shard in a row."
        ),
    )


def _load(model: ReportModel) -> str:
    samples = [run.host for run in model.raw]
    if not samples:
        return "no timed run"
    loads = [sample.load_1m_before for sample in samples]
    stolen = [s.steal_ticks for s in samples if s.steal_ticks is not None]
    steal = f"{scaled(sum(stolen), 100, 2)} s stolen in total" if stolen else "steal time not known"
    free = min(sample.available_bytes_before for sample in samples)
    return (
        f"load {fixed(min(loads), 2)} to {fixed(max(loads), 2)} before runs, {steal}, "
        f"at least {gigabytes(free)} of memory free"
    )

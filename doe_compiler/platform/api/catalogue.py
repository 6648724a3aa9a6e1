"""What the platform publishes: its core types and its analyses; jobs may name others, which run just the same."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CoreType:
    """A kind of node: prices in dollars per core-hour, memory and storage in MB per node.

    `gpus` are the numbers of GPUs that go with `cores`; empty where there are none.
    """

    code: str
    name: str
    cores: tuple[int, ...]
    price: str
    low_priority_price: str
    memory_mb: int
    storage_mb: int
    processor: str
    categories: tuple[str, ...]
    gpus: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """A software and its versions as (code, name)."""

    code: str
    name: str
    versions: tuple[tuple[str, str], ...]


OPERATING_SYSTEM = "linux"
PROCESSOR = "The processors of this machine"
CORE_TYPES = {
    core_type.code: core_type
    for core_type in (
        CoreType(
            "standard-plus", "Standard Plus", (1, 2, 4, 8, 16, 32, 64, 128), "0.00", "0.00", 3750, 4000,
            PROCESSOR, ("general-purpose",),
        ),
        CoreType(
            "emerald", "Emerald", (1, 2, 4, 8, 16, 18, 36, 72, 144, 288), "0.00", "0.00", 4000, 8000,
            PROCESSOR, ("general-purpose",),
        ),
        CoreType(
            "granite", "Granite", (1, 2, 4, 8, 16, 32, 64, 128, 256), "0.00", "0.00", 7600, 16000,
            PROCESSOR, ("memory-optimized",),
        ),
        CoreType(
            "onyx", "Onyx", (1, 2, 4, 8, 18, 36, 72, 144, 288), "0.00", "0.00", 4000, 8000,
            PROCESSOR, ("compute-optimized",),
        ),
    )
}  # fmt: skip
ANALYSES = {
    analysis.code: analysis
    for analysis in (
        Analysis("user_included", "Custom User-Defined Software", (("0", ""),)),
        Analysis("user_included_mpi", "Custom User-Defined MPI Software", (("0", ""),)),
        Analysis("openfoam", "OpenFOAM", (("2.3.1-openmpi", "2.3.1"),)),
        Analysis("openfoam_plus", "OpenFOAM+", (("v1706+-intelmpi", "v1706+"),)),
        Analysis("calculix", "CalculiX", (("2.20", "2.20"),)),
    )
}


def analysis_name(code: str) -> str:
    """The analysis' name for people; an unpublished one is called by its code."""
    return ANALYSES[code].name if code in ANALYSES else code


def version_name(code: str, version: str | None) -> str:
    """The version's name for people, empty if it has none."""
    versions = dict(ANALYSES[code].versions) if code in ANALYSES else {}
    return versions.get(version or "", "")


def core_type_json(core_type: CoreType) -> dict[str, object]:
    """The core type as `coretypes/` shows it."""
    return {
        "code": core_type.code,
        "name": core_type.name,
        "cores": list(core_type.cores),
        "price": core_type.price,
        "lowPriorityPrice": core_type.low_priority_price,
        "memory": core_type.memory_mb,
        "storage": core_type.storage_mb,
        "processorInfo": core_type.processor,
        "categoryCodes": list(core_type.categories),
        "gpuCounts": list(core_type.gpus),
        "isDeprecated": False,
        "walltimeRequired": False,
    }


def prices_json(core_type: CoreType) -> list[dict[str, object]]:
    """What a core-hour costs by each plan, as `billing/computeprices/` shows it."""
    return [
        {
            "coreType": core_type.code,
            "value": {"amount": amount, "currency": "USD"},
            "planType": plan,
            "os": OPERATING_SYSTEM,
            "isActive": True,
        }
        for plan, amount in (("on-demand", core_type.price), ("low-priority", core_type.low_priority_price))
    ]


def analysis_json(analysis: Analysis) -> dict[str, object]:
    """The analysis as `analyses/` shows it."""
    return {
        "code": analysis.code,
        "name": analysis.name,
        "versions": [
            {"id": code, "versionCode": code, "version": name, "allowedCoreTypes": list(CORE_TYPES)}
            for code, name in analysis.versions
        ],
    }


def core_summary(core_type: str, cores: int) -> dict[str, object]:
    """What the cores amount to, as a job's hardware shows it."""
    known = CORE_TYPES.get(core_type)
    per_node = max(known.cores) if known else cores
    return {
        "memoryPerNode": known.memory_mb if known else 0,
        "numberOfNodes": float(max(1, -(-cores // per_node))),
        "storagePerNode": known.storage_mb if known else 0,
    }

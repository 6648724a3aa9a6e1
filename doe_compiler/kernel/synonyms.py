"""What other tools and books call the words of the study language, for the hints of findings."""

from collections.abc import Mapping
from types import MappingProxyType

_WORDS: Mapping[str, str] = {
    # keys
    "study": "name title",
    "variables": "parameters params factors inputs design_variables uncertain_variables",
    "design": "sampler sampling_method dace experiment experiments",
    "responses": "outputs results metrics qoi qois quantities_of_interest response_functions",
    "runs": "samples n n_samples num_samples nsamples count size points evaluations",
    "seed": "random_seed random_state rng",
    "replicates": "replications repetitions repeats",
    "limits": "budget quota",
    "levels": "values options choices categories enum elements set_values",
    "value": "constant fixed",
    "expression": "formula equation eval function",
    "mean": "loc average expectation",
    "std": "stddev std_dev stdev sd sigma standard_deviation std_deviation std_deviations scale",
    "mu": "mean_log meanlog logmean lambda",
    "sigma": "sdlog stdlog zeta",
    "min": "low minimum lower_bound lower_bounds from a left",
    "max": "high maximum upper_bound upper_bounds to b right",
    "lower": "lower_bound truncate_below",
    "upper": "upper_bound truncate_above",
    "start": "min low from lower",
    "stop": "max high to end upper",
    "count": "num number partitions steps",
    "increment": "step delta by",
    "mode": "peak most_likely",
    "location": "loc",
    "trials": "n num_trials",
    "probability": "p prob probability_per_trial",
    "weights": "probabilities probs counts",
    "command": "cmd run exec shell",
    "hardware": "resources machine",
    "coreType": "partition instance_type machine_type queue",
    "coresPerSlot": "cores cpus ntasks nprocs procs cpus_per_task",
    "slots": "concurrency max_parallel jobs parallel evaluation_concurrency",
    "walltime": "time time_limit timelimit max_walltime",
    "runTimeout": "timeout run_time_limit",
    "inputFiles": "files inputs input_files",
    "templates": "template template_file template_files decks",
    "envVars": "env environment env_vars",
    "source": "template src input from",
    "target": "output dest destination target_filename to",
    "code": "software solver",
    "preProcess": "pre setup",
    "postProcess": "post teardown",
    "regex": "pattern regexp re grep",
    "json": "jsonpath path",
    "csv": "column col",
    "file": "filename path",
    "take": "reduce aggregate which",
    # methods
    "latin-hypercube": "lhs lhc lhd lh latin hypercube",
    "central-composite": "ccd cc ccc ccf cci composite",
    "box-behnken": "bbd bb",
    "plackett-burman": "pb pbd",
    "definitive-screening": "dsd screening",
    "full-factorial": "grid factorial product ff cartesian multidim_parameter_study gridsearch",
    "fractional-factorial": "fracfact frf",
    "orthogonal-array": "taguchi oa oas",
    "one-at-a-time": "oat ofat vary_one centered_parameter_study",
    "monte-carlo": "random mc sampling",
    "sobol": "sobol_sequence qmc quasi_random lp_tau quasirandom low_discrepancy",
    "saltelli": "sobol_indices sobol_indexes saltelli_sampling variance_based_decomp",
    "morris": "moat psuade_moat elementary_effects",
    "fast": "efast extended_fast",
    "r-sequence": "r2 kronecker roberts",
    "table": "list csv list_parameter_study explicit",
    "d-optimal": "optimal",
    # generators
    "Normal": "gaussian gauss norm truncnorm truncated_normal",
    "LogNormal": "lognorm log_normal",
    "Exponential": "exp expon",
    "Triangular": "triangle triang",
    "Gumbel": "gumbel_r extreme_value",
    "Student": "t student_t studentt",
    "Histogram": "histogram_bin",
    "Empirical": "sample samples data",
    "LogUniform": "logspace reciprocal log_uniform",
    "Linspace": "grid",
    "FixedRange": "range arange",
    "Weibull": "weibull_min",
}  # fmt: skip


def plain(word: str) -> str:
    """A word without case, hyphens and underscores: `Lower-Bound` is `lowerbound`."""
    return word.casefold().translate({ord(mark): None for mark in "-_ "})


def _by_synonym() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for word, others in _WORDS.items():
        for other in others.split():
            found[plain(other)] = (*found.get(plain(other), ()), word)
    return found


MEANT: Mapping[str, tuple[str, ...]] = MappingProxyType(_by_synonym())

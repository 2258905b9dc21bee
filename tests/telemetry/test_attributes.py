"""Attribute names are an interface."""

import inspect
import pkgutil
import re
from importlib import import_module

import opentelemetry.semconv._incubating.attributes as incubating
import opentelemetry.semconv.attributes as stable

from telemetry import attributes
from telemetry.instruments import INSTRUMENTS
from telemetry.spans import CALLS, RPC_CALL, RPC_SERVED, SPAN_TYPES

OURS = ("workflow", "africastalking", "ussd")
"""Domains that the conventions have no names for."""

NAMES = {value for name, value in vars(attributes).items() if name.isupper()}


def test_every_name_stands_once_and_reads_like_an_attribute() -> None:
    names = [value for name, value in vars(attributes).items() if name.isupper()]

    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(\.[a-z_]+)+", name)] == []


def test_every_name_is_one_of_a_span_a_metric_or_a_service() -> None:
    used = {attributes.SERVICE_NAME, attributes.SERVICE_NAMESPACE}
    used |= {name for each in SPAN_TYPES for name in (*each.always, *each.at_times)}
    used |= {name for each in INSTRUMENTS for name in each.attributes}
    assert used == NAMES


def test_a_name_outside_of_our_domains_is_one_of_the_conventions_and_not_outdated() -> None:
    conventions = {
        name: said
        # What became stable is outdated among the others.
        for package in (incubating, stable)
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
        for name, said in re.findall(
            r': Final = "([a-z_.]+)"\n"""\n(.*)', inspect.getsource(import_module(module.name))
        )
    }
    taken = {name for name in NAMES if name.partition(".")[0] not in OURS}
    assert len(taken) > 5
    assert taken - set(conventions) == set()
    assert [name for name in taken if conventions[name].startswith("Deprecated")] == []


def test_a_span_is_named_by_its_attributes_and_stands_below_one_that_there_is() -> None:
    templates = {each.template for each in SPAN_TYPES}
    for each in SPAN_TYPES:
        assert {*each.always, *each.at_times} <= NAMES, each.template
        assert set(re.findall(r"{(.*?)}", each.template)) <= {*each.always, *each.at_times}, each.template
        assert set(each.below) <= templates
        assert each.begins or each.below
    assert set(CALLS) == set(RPC_CALL.services)
    assert {called for calls in CALLS.values() for called in calls} == set(RPC_SERVED.services)

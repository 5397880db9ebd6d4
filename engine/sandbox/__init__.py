"""The sandbox: a stand-in for Meta's Graph API for development, the demo and tests.

It is an independent second opinion on Meta's rules and imports nothing else of `engine` but the
plain `engine.serving`. It is not a mock: programs talk to it over HTTP, as they would to Meta.
"""

from engine.sandbox.app import create_sandbox
from engine.sandbox.customer import Customer, Said
from engine.sandbox.customer_flow import OpenFlow
from engine.sandbox.device.form import NotPossible
from engine.sandbox.device.screen import screen_lines
from engine.sandbox.faults import Fault
from engine.sandbox.limits import META_LIMITS, Limits
from engine.sandbox.mail import Mail
from engine.sandbox.options import SandboxOptions
from engine.sandbox.state import PhoneNumber, Received
from engine.sandbox.weather import Weather
from engine.serving import serving

__all__ = [
    "META_LIMITS",
    "Customer",
    "Fault",
    "Limits",
    "Mail",
    "NotPossible",
    "OpenFlow",
    "PhoneNumber",
    "Received",
    "Said",
    "SandboxOptions",
    "Weather",
    "create_sandbox",
    "screen_lines",
    "serving",
]

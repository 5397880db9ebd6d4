"""All checks of the doctor, in the order in which they are told."""

from engine.doctor import (
    access,
    backlog,
    business,
    catalogs,
    content,
    database,
    environment,
    flows,
    menu,
    phone,
    webhook,
    webhook_fields,
)
from engine.doctor.registry import Registry, merged

ALL: Registry = merged(
    module.registry
    for module in (
        environment,
        database,
        content,
        business,
        menu,
        access,
        phone,
        webhook,
        webhook_fields,
        catalogs,
        flows,
        backlog,
    )
)

"""`comanda new`: the folder of a new tenant, which works as it is."""

import click

from engine.authoring.scaffold import LANGUAGES, NewTenant, write
from engine.cli.texts import TEXT
from engine.settings import read_settings

_ABOUT = {
    "tenant.yaml": "the shop: name, hours, delivery, ways to pay",
    "catalog.yaml": "the menu: products and prices",
    "dialogs/first_order.yaml": "a conversation that must always work",
}


@click.command()
@click.argument("tenant")
@click.option("--name", type=TEXT, help="What customers call it.  [default: from TENANT]")
@click.option("--language", "languages", multiple=True, default=("en",), show_default=True,
              help=f"One or more of {', '.join(LANGUAGES)}; the default one first.")  # fmt: skip
@click.option("--country", default="US", show_default=True, help="Two letters (ISO 3166).")
@click.option("--currency", default="USD", show_default=True, help="Three letters (ISO 4217).")
@click.option("--time-zone", default="America/New_York", show_default=True, help="IANA name.")
def new(
    tenant: str,
    *,
    name: str | None,
    languages: tuple[str, ...],
    country: str,
    currency: str,
    time_zone: str,
) -> None:
    """Make the folder of a new tenant, tenants/TENANT, with a small menu that works at once.

    \b
    Example: comanda new my-place --name "My Place"
    Example: comanda new mi-local --language es --language en --country MX --currency MXN
                                  --time-zone America/Mexico_City
    """
    content = read_settings().content()
    wanted = NewTenant(
        id=tenant,
        name=name or tenant.replace("-", " ").title(),
        languages=tuple(dict.fromkeys(languages)),
        country=country,
        currency=currency,
        time_zone=time_zone,
    )
    made = write(content / "tenants", wanted)
    click.echo(f"new: {len(made)} files in tenants/{tenant}")
    longest = max(len(path) for path in made)
    for path in made:
        about = _ABOUT.get(path) or f"the texts that are different here ({path.split('.')[-2]})"
        click.echo(f"  {path:{longest}}  {about}")
    click.echo(f"next: comanda check {tenant}")

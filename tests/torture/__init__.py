"""Comanda under fire: customers order while processes, the database and Meta's answers die.

    python -m tests.torture [--customers 300] [--kills 190] [--database-kills 15] [--seed N]

`scenario` puts one run together: `nursery` has the processes that are killed, `killing` kills
them, `meta` is Meta in a process of its own, `customers` are the people and `crowd` their phones.
`facts` reads what is left, `ledger` says what must be 0. Ends with 1 if something is not.
"""

"""A local site whose database is there already, for tests that need no first start."""

import subprocess

from oncall_site.local import postgres
from tests.faults.web import database_url


def prepare_database(var):
    """Copy the test's database into a local site that was never started.

    Return the address of the site's server, which is left running.
    """
    dump = subprocess.run(
        [postgres.program("pg_dump"), "--no-owner", "--dbname", database_url()], check=True, capture_output=True
    ).stdout
    address = postgres.database_url(var=var)
    command = [postgres.program("psql"), "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--dbname", address]
    subprocess.run(command, input=dump, check=True, capture_output=True)
    return address

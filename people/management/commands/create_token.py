"""Create an API token from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.exceptions import DomainError
from people.models import ApiToken, User
from people.services.accounts import create_token


class Command(BaseCommand):
    """`manage.py create_token USER` prints the token's secret once, alone on a line."""

    help = "Create an API token and print its secret, which is shown only once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the user name, token name and scope."""
        parser.add_argument("user", help="user name, such as engineer-a")
        parser.add_argument("--name", default="Command line")
        parser.add_argument("--scope", choices=ApiToken.Scope.values, default=ApiToken.Scope.WRITE)

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the token."""
        try:
            user = User.objects.get(username=options["user"])
            token = create_token(user, name=options["name"], scope=options["scope"])
        except User.DoesNotExist as error:
            raise CommandError(f"No user “{options['user']}”.") from error
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(token.secret)

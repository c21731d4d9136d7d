"""Commands of the application, one after another in one process, whose imports take longer than they do.

`python -m embedded.commands "db upgrade" "demo load"`
"""

import sys

from flask.cli import FlaskGroup

from app import create_app

if __name__ == "__main__":
    flask = FlaskGroup(create_app=create_app, load_dotenv=False)
    for command in sys.argv[1:]:
        flask.main(args=command.split(), prog_name="flask", standalone_mode=False)

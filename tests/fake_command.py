"""The command line on glasses that cost nothing: ``python fake_command.py build STORE ...``."""

import fake_glass as fake

import glassdata.engine
import glassdata.systems
from glassdata.cli import main

if __name__ == "__main__":
    glassdata.systems.SYSTEMS = fake.SYSTEMS
    glassdata.engine.source_of = lambda structures: fake.source()
    main()

"""The laws of the variables: what each generator means, exactly, and how it travels on the wire."""

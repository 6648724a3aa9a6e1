"""Spec and Design become what the platform is given: payloads, parameter CSVs, files and digests."""

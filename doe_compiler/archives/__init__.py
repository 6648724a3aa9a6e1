"""One reader of tar and zip, for checking, for unpacking and for identity; and the packing of folders."""

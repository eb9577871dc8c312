"""The reverse direction: our simulator behind the interfaces of other frameworks, one thin file each."""

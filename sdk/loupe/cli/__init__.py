"""The `loupe` command: `loupe <resource> <action>`. One module per resource."""

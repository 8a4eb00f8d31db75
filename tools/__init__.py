"""Tools of the bundled squads: typed functions over the public package `opssquad`."""

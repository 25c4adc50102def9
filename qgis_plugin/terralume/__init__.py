"""Terralume: relief visualisation for rasters of any size."""


def classFactory(iface):
    """Called by QGIS and by qgis_process, where `iface` is None."""
    from .plugin import TerralumePlugin

    return TerralumePlugin(iface)


def serverClassFactory(server_iface):
    """Called by QGIS Server: layers on the fly of its projects need the library."""
    from .server import TerralumeServer

    return TerralumeServer(server_iface)

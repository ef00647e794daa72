package console

import (
	"maps"
	"slices"
)

// PortalRoutes are the patterns of the portal's pages.
func PortalRoutes() []string { return slices.Sorted(maps.Keys(portalPages)) }

// ProjectRoutes are the patterns of a project's pages.
func ProjectRoutes() []string {
	return append(slices.Sorted(maps.Keys(operatorPages)), slices.Sorted(maps.Keys(managePages))...)
}

// InstanceRoutes are the patterns of the pages beside any project.
func InstanceRoutes() []string { return slices.Sorted(maps.Keys(instancePages)) }

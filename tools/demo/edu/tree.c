// SPDX-License-Identifier: MIT
/* A picture of the PCI functions of the demo, and of what is above them. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#define PCI_CAPABILITIES	0x34
#define PCI_CAP_ID_EXP		0x10
#define LABEL_COLUMN		34

static size_t read_config(const char *name, __u8 config[256])
{
	char path[96];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, config, 256);
	close(fd);
	return got < 0 ? 0 : (size_t)got;
}

/* Device/Port Type of the PCI Express capability; -1 without one. */
static int port_type(const char *name)
{
	__u8 config[256], at;
	size_t size = read_config(name, config);
	int steps;

	if (size < 256)
		return -1;
	at = config[PCI_CAPABILITIES] & 0xfc;
	for (steps = 0; at >= 0x40 && steps < 48; steps++) {
		if (config[at] == PCI_CAP_ID_EXP)
			return config[at + 2] >> 4;
		at = config[at + 1] & 0xfc;
	}
	return -1;
}

static const char *bridge_label(const char *name)
{
	if (!strncmp(name, "pci", 3))
		return "host bridge";
	switch (port_type(name)) {
	case 4:
		return "root port";
	case 5:
		return "switch, upstream port";
	case 6:
		return "switch, downstream port";
	default:
		return "bridge";
	}
}

static int find_or_add(struct tree *tree, int parent, const char *name)
{
	struct node *node;
	int i;

	for (i = 0; i < tree->count; i++) {
		if (tree->nodes[i].parent == parent && !strcmp(tree->nodes[i].name, name))
			return i;
	}
	if (tree->count == MAX_NODES)
		return -1;
	node = &tree->nodes[tree->count];
	*node = (struct node) { .parent = parent };
	snprintf(node->name, sizeof(node->name), "%s", name);
	snprintf(node->label, sizeof(node->label), "%s", bridge_label(name));
	return tree->count++;
}

/* Is it a host bridge's directory, as in /sys/devices/pci0000:00/...? */
static bool is_host(const char *name)
{
	return !strncmp(name, "pci", 3) && strchr(name, ':');
}

/* Add a function and all above it. Returns its node, or -1 if sysfs knows none. */
int tree_add(struct tree *tree, const struct peerbuf_function *function,
	     const char *label)
{
	char name[PEERBUF_FUNCTION_LEN], link[96], path[PATH_MAX], *part, *next;
	int node = -1;

	peerbuf_format_function(function, name, sizeof(name));
	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s", name);
	if (!realpath(link, path))
		return -1;

	for (part = strtok_r(path, "/", &next); part; part = strtok_r(NULL, "/", &next)) {
		if (node < 0 && !is_host(part))
			continue;
		node = find_or_add(tree, node, part);
		if (node < 0)
			return -1;
	}
	if (node >= 0)
		snprintf(tree->nodes[node].label, sizeof(tree->nodes[node].label), "%s",
			 label);
	return node;
}

static bool is_above(const struct tree *tree, int above, int node)
{
	while (node >= 0 && node != above)
		node = tree->nodes[node].parent;
	return node >= 0;
}

/* From @node up, through the first one that is above @other too, or to the top. */
static void mark_up(struct tree *tree, int node, int other, bool to_top)
{
	while (node >= 0) {
		tree->nodes[node].on_way = true;
		if (!to_top && is_above(tree, node, other))
			return;
		node = tree->nodes[node].parent;
	}
}

void tree_mark_way(struct tree *tree, int a, int b, bool across_host)
{
	mark_up(tree, a, b, across_host);
	mark_up(tree, b, a, across_host);
}

static int next_child(const struct tree *tree, int parent, int after)
{
	int i;

	for (i = after + 1; i < tree->count; i++) {
		if (tree->nodes[i].parent == parent)
			return i;
	}
	return -1;
}

static void print_below(const struct tree *tree, int parent, const char *indent)
{
	const struct node *node;
	char deeper[128];
	int i, next, used;

	for (i = next_child(tree, parent, -1); i >= 0; i = next) {
		next = next_child(tree, parent, i);
		node = &tree->nodes[i];
		used = printf("%s%s%s", indent,
			      parent < 0 ? "" : next < 0 ? "`-- " : "|-- ", node->name);
		printf("%*s%c %s\n", used < LABEL_COLUMN ? LABEL_COLUMN - used : 1, "",
		       node->on_way ? '*' : ' ', node->label);
		snprintf(deeper, sizeof(deeper), "%s%s", indent,
			 parent < 0 ? "" : next < 0 ? "    " : "|   ");
		print_below(tree, i, deeper);
	}
}

void tree_print(const struct tree *tree, const char *indent)
{
	print_below(tree, -1, indent);
}

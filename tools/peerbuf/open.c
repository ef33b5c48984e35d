// SPDX-License-Identifier: MIT
/* Opening nodes and reading addresses; what went wrong is said here. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* A name, or the number of who has none. */
static void print_id(char *text, size_t size, const char *name, unsigned int id)
{
	if (name)
		snprintf(text, size, "%s", name);
	else
		snprintf(text, size, "%u", id);
}

static int report_denied(const char *path)
{
	char owner[64], owning_group[64];
	struct passwd *user;
	struct group *group;
	struct stat st;

	if (stat(path, &st))
		return report("cannot open %s: permission denied", path);
	user = getpwuid(st.st_uid);
	group = getgrgid(st.st_gid);
	print_id(owner, sizeof(owner), user ? user->pw_name : NULL, st.st_uid);
	print_id(owning_group, sizeof(owning_group), group ? group->gr_name : NULL, st.st_gid);
	report("cannot open %s: it belongs to %s:%s, mode %04o", path, owner, owning_group,
	       st.st_mode & 07777);
	return advise("be its owner, or have the owner give you access (chgrp, chmod)");
}

static int report_open(int err, const char *path)
{
	if (err == -EACCES || err == -EPERM)
		return report_denied(path);
	if (err != -ENOENT && err != -ENODEV && err != -ENXIO)
		return report("cannot open %s: %s", path, strerror(-err));
	if (!module_loaded("peerbuf"))
		return report("the peerbuf module is not loaded; load it: modprobe peerbuf");
	report("%s is missing, though the module is loaded", path);
	return advise("is devtmpfs mounted on /dev?");
}

int open_control(void)
{
	int fd = peerbuf_open_control();

	if (fd >= 0)
		return fd;
	report_open(fd, PEERBUF_CONTROL_PATH);
	return -1;
}

/* The node of a function that is known to be a provider. */
int open_node(const struct peerbuf_function *provider, int flags)
{
	char path[sizeof(PEERBUF_DEV_DIR) + PEERBUF_FUNCTION_LEN];
	int fd = peerbuf_open_node(provider, flags);

	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), PEERBUF_DEV_DIR "/%s", name_of(provider).text);
	report_open(fd, path);
	return -1;
}

int parse_function(const char *text, struct peerbuf_function *function)
{
	if (!peerbuf_parse_function(text, function))
		return 0;
	report("\"%s\" is not a PCI address", text);
	advise("write it like 0000:02:00.0 or 02:00.0; \"lspci -D\" lists them");
	return -1;
}

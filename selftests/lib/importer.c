// SPDX-License-Identifier: GPL-2.0-only
/* The importers, as far as they are alike. */
#include <fcntl.h>

#include "peerbuf_lib.h"

static int open_drive(const struct pb_device *drive)
{
	return pb_open_nvme(drive, O_RDWR);
}

static int import_to_drive(int nvme, int dmabuf, unsigned int *handle)
{
	return pb_nvme_import(nvme, dmabuf, PEERBUF_NVME_BOTH, handle);
}

static int import_to_port(int port, int dmabuf, unsigned int *handle)
{
	return pb_port_import(port, dmabuf,
			      PEERBUF_IGB_SEND | PEERBUF_IGB_RECV, handle);
}

const struct pb_importer_calls pb_edu_calls = {
	.driver = "peerbuf_edu",
	.device = pb_importer,
	.open = pb_open_edu,
	.import = pb_import,
	.release = pb_release,
};

const struct pb_importer_calls pb_nvme_calls = {
	.driver = "peerbuf_nvme",
	.device = pb_drive,
	.open = open_drive,
	.import = import_to_drive,
	.release = pb_nvme_release,
};

const struct pb_importer_calls pb_igb_calls = {
	.driver = "peerbuf_igb",
	.device = pb_port,
	.open = pb_open_port,
	.import = import_to_port,
	.release = pb_port_release,
};

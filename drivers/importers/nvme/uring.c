// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transfers by io_uring: IORING_OP_URING_CMD with a struct peerbuf_nvme_io in a
 * big SQE.
 *
 * The first try, in the submitter's context, does not wait for anybody; what
 * has to is done over by a worker of io_uring. A command is not marked as
 * cancelable: a transfer that runs cannot be called back, and ends in bounded
 * time by itself, for which a ring that is closed waits.
 */

#include <linux/io_uring/cmd.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/linux/peerbuf_nvme.h>

#include "nvme.h"

/* Bytes for a command in a big SQE */
#define COMMAND_SIZE	(2 * sizeof(struct io_uring_sqe) -		\
			 offsetof(struct io_uring_sqe, cmd))

/* What is kept in the command until its task completes it */
struct uring_result {
	int error;
};

static void uring_complete(struct io_tw_req tw_req, io_tw_token_t tw)
{
	struct io_uring_cmd *cmd = io_uring_cmd_from_tw(tw_req);
	struct uring_result *result =
		io_uring_cmd_to_pdu(cmd, struct uring_result);

	io_uring_cmd_done(cmd, result->error,
			  IO_URING_CMD_TASK_WORK_ISSUE_FLAGS);
}

static void uring_done(struct pnvme_request *request, int error)
{
	struct io_uring_cmd *cmd = request->uring;

	io_uring_cmd_to_pdu(cmd, struct uring_result)->error = error;
	kfree(request);
	io_uring_cmd_complete_in_task(cmd, uring_complete);
}

/*
 * By the rules for the structs of calls: a longer one is fine if it is zero
 * where this kernel does not know it. The SQE is memory that the user can
 * change meanwhile, so it is read once.
 */
static int read_command(const struct io_uring_cmd *cmd,
			struct peerbuf_nvme_io *io)
{
	struct {
		struct peerbuf_nvme_io io;
		u8 tail[COMMAND_SIZE - sizeof(struct peerbuf_nvme_io)];
	} copy;

	memcpy(&copy, io_uring_sqe128_cmd(cmd->sqe, typeof(copy)),
	       sizeof(copy));
	*io = copy.io;
	if (io->size < sizeof(*io))
		return -EINVAL;
	if (io->size > sizeof(copy) ||
	    memchr_inv(copy.tail, 0, io->size - sizeof(*io)))
		return -E2BIG;
	return 0;
}

/**
 * pnvme_uring_cmd() - start a transfer that io_uring asks for
 * @cmd: the command
 * @issue_flags: of io_uring
 *
 * Return: -EIOCBQUEUED, it will be completed; -EAGAIN, call again from where
 * waiting is fine; or what it is completed with.
 */
int pnvme_uring_cmd(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	bool wait = !(issue_flags & IO_URING_F_NONBLOCK);
	struct pnvme_request *request;
	struct peerbuf_nvme_io io;
	int ret;

	if (cmd->cmd_op != PEERBUF_NVME_IOC_IO)
		return -ENOTTY;
	if (!(issue_flags & IO_URING_F_SQE128))
		return -EINVAL;

	ret = read_command(cmd, &io);
	if (ret)
		return ret;

	request = kzalloc_obj(*request);
	if (!request)
		return -ENOMEM;

	request->done = uring_done;
	request->uring = cmd;
	ret = pnvme_io_start(cmd->file, &io, request, wait);
	if (!ret)
		return -EIOCBQUEUED;

	kfree(request);
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

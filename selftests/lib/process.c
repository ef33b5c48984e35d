// SPDX-License-Identifier: GPL-2.0-only
/* Other processes, with fewer rights, and descriptors on their way there. */
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "peerbuf_lib.h"

#define NOBODY	65534

union fd_message {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

/* pb_send_fd() - SCM_RIGHTS. Return: 0 or a negative errno. */
int pb_send_fd(int socket, int fd)
{
	union fd_message control = {};
	char byte = 'f';
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) < 0 ? -errno : 0;
}

/* pb_receive_fd() - SCM_RIGHTS. Return: the descriptor or a negative errno. */
int pb_receive_fd(int socket)
{
	union fd_message control = {};
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

/* pb_become_nobody() - give up every right, for good. */
void pb_become_nobody(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail("cannot become nobody: %s", strerror(errno));
	if (!setuid(0))
		fail("became root again");
}

/* Leave a namespace, if this kernel has its kind. */
static bool leave(const char *kind, int flag)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	if (access(path, F_OK))
		return false;
	if (unshare(flag))
		fail("cannot make a %s namespace: %s", kind, strerror(errno));
	return true;
}

/**
 * pb_sandbox() - nobody, in namespaces of its own
 *
 * Children, not the caller, live in the new pid namespace.
 *
 * Return: whether there is one.
 */
bool pb_sandbox(void)
{
	bool pid = leave("pid", CLONE_NEWPID);

	leave("mnt", CLONE_NEWNS);
	leave("net", CLONE_NEWNET);
	leave("ipc", CLONE_NEWIPC);
	leave("uts", CLONE_NEWUTS);
	pb_become_nobody();
	leave("user", CLONE_NEWUSER);
	return pid;
}

/* pb_fork() - fork(2); the child dies with its parent. Return: as fork(2). */
pid_t pb_fork(void)
{
	pid_t child = fork();

	if (child < 0)
		fail("cannot fork: %s", strerror(errno));
	if (!child)
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return child;
}

/* pb_join() - Return: the exit code of @child, or 128 plus its signal. */
int pb_join(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			fail("cannot wait for %d: %s", child, strerror(errno));
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* pb_sleep_ms() - sleep, all of it. */
void pb_sleep_ms(unsigned int ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* pb_now_ms() - Return: milliseconds on a clock that never jumps. */
__u64 pb_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

static void interrupt(int signal)
{
	(void)signal;
}

/* pb_interrupt_after() - a signal, after @ms and then over and over; 0: stop. */
void pb_interrupt_after(unsigned int ms)
{
	struct itimerval timer = {
		.it_value = { ms / 1000, ms % 1000 * 1000 },
		.it_interval = { ms / 1000, ms % 1000 * 1000 },
	};
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

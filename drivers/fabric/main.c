// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_fabric: a PCI fabric in software, for tests of routing.
 *
 * For tests only. An open file of /dev/peerbuf-fabric is a fabric: a description
 * is written to it (see description.rst), with its last line, "end", the host
 * bridges, ports and endpoints appear, and with the last close they go.
 *
 * A read returns what is there, a line for each function: name ("-" for none)
 * and address; or, after an error, what is wrong and in which line.
 *
 * There is no memory behind the BARs, and no device behind config space. Nobody
 * may access a BAR; fixed exports of peerbuf_pci are possible, as they leave the
 * memory alone, pools are not.
 */
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "fabric.h"

/* More per write() is taken in pieces */
#define WRITE_SIZE	SZ_16K
/* Longest line of the report: name, address, end of line */
#define REPORT_LINE	(FABRIC_NAME_SIZE + 20)

/**
 * fabric_fail() - remember what is wrong
 * @fabric: the file
 * @line: of the description
 * @error: negative errno
 * @format: what is wrong, and what helps
 *
 * Return: @error.
 */
int fabric_fail(struct fabric *fabric, unsigned int line, int error,
		const char *format, ...)
{
	struct va_format vaf = { .fmt = format };
	va_list args;

	va_start(args, format);
	vaf.va = &args;
	snprintf(fabric->message, sizeof(fabric->message), "line %u: %pV\n",
		 line, &vaf);
	va_end(args);
	return error;
}

static size_t report_function(const struct fabric_function *function,
			      char *text, size_t size)
{
	return scnprintf(text, size, "%s %04x:%02x:%02x.%d\n",
			 *function->name ? function->name : "-",
			 function->host->domain, function->bus,
			 PCI_SLOT(function->devfn), PCI_FUNC(function->devfn));
}

static int make_report(struct fabric *fabric)
{
	size_t size = fabric->nr_functions * REPORT_LINE + 1;
	struct fabric_function *function;
	struct fabric_host *host;
	char *text;

	text = kvmalloc(size, GFP_KERNEL);
	if (!text)
		return fabric_fail(fabric, fabric->line_nr, -ENOMEM,
				   "out of memory");

	fabric->report = text;
	list_for_each_entry(host, &fabric->hosts, node)
		for (function = fabric_next_function(host, NULL); function;
		     function = fabric_next_function(host, function))
			text += report_function(function, text,
						fabric->report + size - text);
	fabric->report_size = text - fabric->report;
	return 0;
}

static int end_description(struct fabric *fabric)
{
	int ret;

	ret = fabric_complete(fabric);
	if (!ret)
		ret = make_report(fabric);
	if (!ret)
		ret = fabric_build(fabric);
	if (!ret)
		fabric->state = FABRIC_BUILT;
	return ret;
}

static int end_line(struct fabric *fabric)
{
	bool end;
	int ret;

	fabric->line[fabric->line_length] = '\0';
	fabric->line_length = 0;
	fabric->line_nr++;
	ret = fabric_parse_line(fabric, &end);
	if (!ret && end)
		ret = end_description(fabric);
	return ret;
}

static int take_character(struct fabric *fabric, char character)
{
	if (character == '\n')
		return end_line(fabric);
	if (fabric->line_length == FABRIC_MAX_LINE - 1)
		return fabric_fail(fabric, fabric->line_nr + 1, -EINVAL,
				   "longer than %d characters",
				   FABRIC_MAX_LINE - 1);
	if (!character)
		return fabric_fail(fabric, fabric->line_nr + 1, -EINVAL,
				   "a zero byte");

	fabric->line[fabric->line_length++] = character;
	return 0;
}

/* Up to the end of the description, or of the text. */
static ssize_t take_text(struct fabric *fabric, const char *text, size_t size)
{
	size_t done;
	int ret;

	for (done = 0; done < size && fabric->state == FABRIC_READING; done++) {
		ret = take_character(fabric, text[done]);
		if (ret) {
			fabric_remove(fabric);
			fabric->state = FABRIC_FAILED;
			return ret;
		}
	}

	return done;
}

static ssize_t fabric_write(struct file *file, const char __user *user,
			    size_t size, loff_t *pos)
{
	struct fabric *fabric = file->private_data;
	ssize_t ret;
	char *text;

	size = min_t(size_t, size, WRITE_SIZE);
	text = vmemdup_user(user, size);
	if (IS_ERR(text))
		return PTR_ERR(text);

	mutex_lock(&fabric->lock);
	if (fabric->state == FABRIC_READING)
		ret = take_text(fabric, text, size);
	else
		ret = fabric->state == FABRIC_BUILT ? -EBUSY : -EINVAL;
	mutex_unlock(&fabric->lock);
	kvfree(text);
	return ret;
}

static ssize_t fabric_read(struct file *file, char __user *user, size_t size,
			   loff_t *pos)
{
	struct fabric *fabric = file->private_data;

	guard(mutex)(&fabric->lock);
	if (fabric->state == FABRIC_BUILT)
		return simple_read_from_buffer(user, size, pos, fabric->report,
					       fabric->report_size);

	return simple_read_from_buffer(user, size, pos, fabric->message,
				       strlen(fabric->message));
}

static long fabric_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct fabric *fabric = file->private_data;

	guard(mutex)(&fabric->lock);
	return fabric_call(fabric, cmd, (void __user *)arg);
}

static int fabric_open(struct inode *inode, struct file *file)
{
	struct fabric *fabric = kzalloc_obj(*fabric);

	if (!fabric)
		return -ENOMEM;

	mutex_init(&fabric->lock);
	INIT_LIST_HEAD(&fabric->hosts);
	file->private_data = fabric;
	return 0;
}

static int fabric_release(struct inode *inode, struct file *file)
{
	struct fabric *fabric = file->private_data;

	fabric_remove(fabric);
	mutex_destroy(&fabric->lock);
	kvfree(fabric->report);
	kfree(fabric);
	return 0;
}

static const struct file_operations fabric_fops = {
	.owner = THIS_MODULE,
	.open = fabric_open,
	.release = fabric_release,
	.read = fabric_read,
	.write = fabric_write,
	.unlocked_ioctl = fabric_ioctl,
	.llseek = default_llseek,
};

static struct miscdevice fabric_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "peerbuf-fabric",
	.fops = &fabric_fops,
	.mode = 0600,
};

static int __init fabric_init(void)
{
	int ret;

	ret = fabric_host_init();
	if (ret)
		return ret;

	ret = misc_register(&fabric_device);
	if (ret)
		fabric_host_exit();
	else
		pr_info("peerbuf_fabric: for tests only: makes PCI devices that do not exist\n");
	return ret;
}
module_init(fabric_init);

static void __exit fabric_exit(void)
{
	misc_deregister(&fabric_device);
	fabric_host_exit();
}
module_exit(fabric_exit);

MODULE_DESCRIPTION("PCI fabrics in software, for tests only");
MODULE_LICENSE("GPL");

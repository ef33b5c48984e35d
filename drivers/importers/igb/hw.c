// SPDX-License-Identifier: GPL-2.0-only
/*
 * peerbuf_igb: reset, bring-up, link and counters of the port.
 *
 * All under &igb.ring_lock. Rings are in ring.c, the PHY's registers in phy.c.
 */

#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/iopoll.h>
#include <linux/mii.h>
#include <linux/pci.h>
#include <linux/time64.h>

#include "igb.h"

#define IGB_MASTER_POLL_US	100
#define IGB_MASTER_TIMEOUT_US	(80 * USEC_PER_MSEC)	/* 5.2.3.3 asks for that */
#define IGB_RESET_POLL_US	USEC_PER_MSEC
#define IGB_RESET_TIMEOUT_US	(50 * USEC_PER_MSEC)
#define IGB_EEPROM_TIMEOUT_US	(10 * USEC_PER_MSEC)
#define IGB_PHY_SETTLE_MS	50

/*
 * No DMA from here on. The device is asked first, as a reset in the middle of a
 * request can hang the bus, and then it is made sure of: what the device wrote
 * before has arrived when the last read returns.
 */
static void igb_hw_stop_dma(struct igb *igb)
{
	u32 status;

	igb_write(igb, IGB_RCTL, 0);
	igb_write(igb, IGB_TCTL, IGB_TCTL_PAD_SHORT);
	igb_write(igb, IGB_CTRL,
		  igb_read(igb, IGB_CTRL) | IGB_CTRL_MASTER_DISABLE);
	if (readl_poll_timeout(igb->regs + IGB_STATUS, status,
			       !(status & IGB_STATUS_MASTER_ENABLE),
			       IGB_MASTER_POLL_US, IGB_MASTER_TIMEOUT_US))
		pci_warn(igb->pdev, "requests still under way; reset anyway\n");

	pci_clear_master(igb->pdev);
	igb_read(igb, IGB_STATUS);
}

static void igb_hw_mask_interrupts(struct igb *igb)
{
	igb_write(igb, IGB_IMC, ~0U);
	igb_write(igb, IGB_EIMC, ~0U);
}

/**
 * igb_hw_reset() - stop all DMA, and bring the port into a known state
 * @igb: the port, whatever state it is in; &igb.ring_lock is held
 *
 * On return the port is no bus master, and does not touch memory, even if the
 * reset failed.
 *
 * Return: 0; -EIO, the port does not come out of reset.
 */
int igb_hw_reset(struct igb *igb)
{
	u32 value;

	igb_hw_mask_interrupts(igb);
	igb_hw_stop_dma(igb);

	igb_write(igb, IGB_CTRL, igb_read(igb, IGB_CTRL) | IGB_CTRL_RESET);
	/* 4.2.1.6.1: not to be touched for a millisecond. */
	usleep_range(1000, 2000);
	if (readl_poll_timeout(igb->regs + IGB_CTRL, value,
			       !(value & IGB_CTRL_RESET), IGB_RESET_POLL_US,
			       IGB_RESET_TIMEOUT_US)) {
		pci_err(igb->pdev, "does not come out of reset\n");
		return -EIO;
	}

	/* The address is read from the EEPROM. QEMU has it, and never says so. */
	readl_poll_timeout(igb->regs + IGB_EECD, value,
			   value & IGB_EECD_AUTO_READ_DONE, IGB_RESET_POLL_US,
			   IGB_EEPROM_TIMEOUT_US);

	igb_hw_mask_interrupts(igb);
	return 0;
}

/*
 * 3.5.6: the 82576 loops back in its PHY, RCTL.LBM does nothing there; QEMU looks
 * at both. The MAC is told the speed, as nothing is negotiated; in QEMU a link
 * comes up by negotiation only, so that is started before.
 */
static int igb_hw_link_to_itself(struct igb *igb)
{
	u32 ctrl;
	int ret;

	ret = igb_phy_write(igb, MII_BMCR, BMCR_ANENABLE | BMCR_ANRESTART);
	if (!ret)
		ret = igb_phy_write(igb, MII_BMCR, BMCR_LOOPBACK |
						   BMCR_SPEED1000 |
						   BMCR_FULLDPLX);
	if (ret)
		return ret;

	msleep(IGB_PHY_SETTLE_MS);
	ctrl = igb_read(igb, IGB_CTRL) & ~IGB_CTRL_SPEED;
	igb_write(igb, IGB_CTRL, ctrl | IGB_CTRL_FORCE_SPEED |
				 IGB_CTRL_FORCE_DUPLEX | IGB_CTRL_SPEED_1000 |
				 IGB_CTRL_FD | IGB_CTRL_SLU);
	return 0;
}

/*
 * No pause frames: a neighbour must not be able to hold frames, and the memory
 * that they lie in, for as long as it likes.
 */
static int igb_hw_link_to_wire(struct igb *igb)
{
	u32 ctrl = igb_read(igb, IGB_CTRL);

	ctrl &= ~(IGB_CTRL_FORCE_SPEED | IGB_CTRL_FORCE_DUPLEX |
		  IGB_CTRL_RX_PAUSE | IGB_CTRL_TX_PAUSE);
	igb_write(igb, IGB_CTRL, ctrl | IGB_CTRL_FD | IGB_CTRL_SLU);
	return igb_phy_write(igb, MII_BMCR, BMCR_ANENABLE | BMCR_ANRESTART);
}

static int igb_hw_start_link(struct igb *igb)
{
	u32 ext = igb_read(igb, IGB_CTRL_EXT);

	ext &= ~IGB_CTRL_EXT_LINK_MODE;
	igb_write(igb, IGB_CTRL_EXT, ext | IGB_CTRL_EXT_DRIVER_LOADED);

	return igb->loopback ? igb_hw_link_to_itself(igb) :
			       igb_hw_link_to_wire(igb);
}

/* A vector for each ring; it masks itself until the handler is through. */
static void igb_hw_start_interrupts(struct igb *igb)
{
	u32 vectors = BIT(igb->recv.vector) | BIT(igb->send.vector);

	/* First of all: in other modes the rest means something else. */
	igb_write(igb, IGB_GPIE, IGB_GPIE_MULTIPLE_MSIX | IGB_GPIE_PBA |
				 IGB_GPIE_EIAME | IGB_GPIE_NSICR);
	igb_write(igb, IGB_IVAR0, (igb->recv.vector | IGB_IVAR_VALID) |
				  (igb->send.vector | IGB_IVAR_VALID) <<
				  IGB_IVAR_SEND_SHIFT);
	igb_write(igb, IGB_EIAC, vectors);
	igb_write(igb, IGB_EIAM, vectors);
	igb_write(igb, IGB_EIMS, vectors);
}

/*
 * All frames are received, up to what a slot can hold: longer ones would go on
 * in the next slot, which may be somebody else's memory.
 */
static void igb_hw_start_mac(struct igb *igb)
{
	u32 rctl = IGB_RCTL_ENABLE | IGB_RCTL_ALL_UNICAST |
		   IGB_RCTL_ALL_MULTICAST | IGB_RCTL_BROADCAST |
		   IGB_RCTL_LONG_FRAMES | IGB_RCTL_DISCARD_PAUSE |
		   IGB_RCTL_STRIP_CRC;

	if (igb->loopback)
		rctl |= IGB_RCTL_MAC_LOOPBACK;

	igb_write(igb, IGB_RLPML, igb->slot_size + IGB_CRC);
	igb_write(igb, IGB_RCTL, rctl);
	igb_write(igb, IGB_TCTL, IGB_TCTL_ENABLE | IGB_TCTL_PAD_SHORT |
				 IGB_TCTL_COLLISIONS | IGB_TCTL_BACK_OFF);
}

/**
 * igb_hw_start() - start the port with the slots of its rings
 * @igb: the port, after igb_hw_reset(); &igb.ring_lock is held
 *
 * Return: 0; or a negative errno, and the port is no bus master.
 */
int igb_hw_start(struct igb *igb)
{
	int ret;

	ret = igb_hw_start_link(igb);
	if (ret) {
		pci_err(igb->pdev, "the PHY does not answer\n");
		return ret;
	}

	pci_set_master(igb->pdev);
	igb_hw_start_interrupts(igb);
	igb_hw_start_mac(igb);

	/* Queues start only while the MAC runs: 8.10.10, 8.12.13. */
	ret = igb_ring_start(&igb->send);
	if (!ret)
		ret = igb_ring_start(&igb->recv);
	if (ret) {
		pci_err(igb->pdev, "queues do not start\n");
		igb_hw_stop_dma(igb);
	}
	return ret;
}

/**
 * igb_hw_count() - add up the port's counters, which reads and resets clear
 * @igb: the port, bound; &igb.ring_lock is held
 */
void igb_hw_count(struct igb *igb)
{
	const u32 missed = igb_read(igb, IGB_MPC);
	const u32 dropped = igb_read(igb, IGB_RQDPC);
	const u32 oversized = igb_read(igb, IGB_ROC);

	if (PCI_POSSIBLE_ERROR(missed))
		return;

	igb->counters.missed += missed + dropped;
	igb->counters.oversized += oversized;
}

/**
 * igb_hw_link() - is there a link
 * @igb: the port, bound; &igb.ring_lock is held
 *
 * Return: whether there is.
 */
bool igb_hw_link(struct igb *igb)
{
	u32 status = igb_read(igb, IGB_STATUS);

	return !PCI_POSSIBLE_ERROR(status) && status & IGB_STATUS_LINK_UP;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers and descriptors of the Intel 82576, as far as peerbuf_igb uses them.
 * Section numbers are those of the 82576 datasheet, revision 2.87.
 */
#ifndef PEERBUF_IGB_REGS_H
#define PEERBUF_IGB_REGS_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

#define IGB_VENDOR		0x8086
#define IGB_DEVICE		0x10c9

/* Device: 8.2 */
#define IGB_CTRL		0x00000
#define  IGB_CTRL_FD			BIT(0)
#define  IGB_CTRL_MASTER_DISABLE	BIT(2)
#define  IGB_CTRL_SLU			BIT(6)
#define  IGB_CTRL_SPEED			GENMASK(9, 8)
#define  IGB_CTRL_SPEED_1000		BIT(9)
#define  IGB_CTRL_FORCE_SPEED		BIT(11)
#define  IGB_CTRL_FORCE_DUPLEX		BIT(12)
#define  IGB_CTRL_RESET			BIT(26)
#define  IGB_CTRL_RX_PAUSE		BIT(27)
#define  IGB_CTRL_TX_PAUSE		BIT(28)
#define IGB_STATUS		0x00008
#define  IGB_STATUS_LINK_UP		BIT(1)
#define  IGB_STATUS_LAN_ID		GENMASK(3, 2)
#define  IGB_STATUS_MASTER_ENABLE	BIT(19)
#define IGB_EECD		0x00010
#define  IGB_EECD_AUTO_READ_DONE	BIT(9)
#define IGB_CTRL_EXT		0x00018
#define  IGB_CTRL_EXT_LINK_MODE		GENMASK(23, 22)	/* 0: internal PHY */
#define  IGB_CTRL_EXT_DRIVER_LOADED	BIT(28)
#define IGB_MDIC		0x00020
#define  IGB_MDIC_DATA			GENMASK(15, 0)
#define  IGB_MDIC_REG			GENMASK(20, 16)
#define  IGB_MDIC_PHY			GENMASK(25, 21)
#define  IGB_MDIC_WRITE			BIT(26)
#define  IGB_MDIC_READY			BIT(28)
#define  IGB_MDIC_ERROR			BIT(30)

/* Who may use the PHY, the firmware or us: 8.16, 4.6.11 */
#define IGB_SWSM		0x05b50
#define  IGB_SWSM_SMBI			BIT(0)
#define  IGB_SWSM_SWESMBI		BIT(1)
#define IGB_SW_FW_SYNC		0x05b5c
#define  IGB_SW_FW_SYNC_PHY(port)	BIT(1 + (port))
#define  IGB_SW_FW_SYNC_FIRMWARE	16	/* the firmware's bits, shifted */

/* Interrupts: 8.8 */
#define IGB_GPIE		0x01514
#define  IGB_GPIE_NSICR			BIT(0)
#define  IGB_GPIE_MULTIPLE_MSIX		BIT(4)
#define  IGB_GPIE_EIAME			BIT(30)
#define  IGB_GPIE_PBA			BIT(31)
#define IGB_EIMS		0x01524
#define IGB_EIMC		0x01528
#define IGB_EIAC		0x0152c
#define IGB_EIAM		0x01530
#define IGB_IVAR0		0x01700	/* queue 0: receive 7:0, transmit 15:8 */
#define  IGB_IVAR_VALID			BIT(7)
#define  IGB_IVAR_SEND_SHIFT		8
#define IGB_IMC			0x000d8

/* Receive: 8.10 */
#define IGB_RCTL		0x00100
#define  IGB_RCTL_ENABLE		BIT(1)
#define  IGB_RCTL_ALL_UNICAST		BIT(3)
#define  IGB_RCTL_ALL_MULTICAST		BIT(4)
#define  IGB_RCTL_LONG_FRAMES		BIT(5)
#define  IGB_RCTL_MAC_LOOPBACK		BIT(6)
#define  IGB_RCTL_BROADCAST		BIT(15)
#define  IGB_RCTL_DISCARD_PAUSE		BIT(22)
#define  IGB_RCTL_STRIP_CRC		BIT(26)
#define IGB_RLPML		0x05004	/* longest frame, with CRC */
#define IGB_RAL0		0x05400
#define IGB_RAH0		0x05404
#define IGB_RDBAL		0x0c000
#define IGB_RDBAH		0x0c004
#define IGB_RDLEN		0x0c008
#define IGB_SRRCTL		0x0c00c
#define  IGB_SRRCTL_BUFFER_KIB		GENMASK(6, 0)
#define  IGB_SRRCTL_ADVANCED_ONE	BIT(25)	/* one buffer, no header split */
#define  IGB_SRRCTL_DROP		BIT(31)	/* no slot: drop, do not stall */
#define IGB_RDH			0x0c010
#define IGB_RDT			0x0c018
#define IGB_RXDCTL		0x0c028
#define IGB_RQDPC		0x0c030

/* Transmit: 8.12 */
#define IGB_TCTL		0x00400
#define  IGB_TCTL_ENABLE		BIT(1)
#define  IGB_TCTL_PAD_SHORT		BIT(3)
#define  IGB_TCTL_COLLISIONS		(15 << 4)	/* reset value */
#define  IGB_TCTL_BACK_OFF		(0x40 << 12)	/* reset value */
#define IGB_TDBAL		0x0e000
#define IGB_TDBAH		0x0e004
#define IGB_TDLEN		0x0e008
#define IGB_TDH			0x0e010
#define IGB_TDT			0x0e018
#define IGB_TXDCTL		0x0e028

/* RXDCTL and TXDCTL */
#define IGB_QUEUE_PREFETCH		GENMASK(4, 0)	/* thresholds */
#define IGB_QUEUE_HOST			GENMASK(12, 8)
#define IGB_QUEUE_WRITE_BACK		GENMASK(20, 16)
#define IGB_QUEUE_ENABLE		BIT(25)

/* Statistics, cleared when read: 8.19 */
#define IGB_MPC			0x04010
#define IGB_ROC			0x040ac

/**
 * struct igb_desc - a descriptor: 7.1.5 advanced receive, 7.2.2 advanced transmit
 *
 * The device overwrites it when it is done.
 */
struct igb_desc {
	/** @address: of the buffer */
	__le64 address;
	/**
	 * @command: transmit: length and what to do; receive: zero, then
	 * status and errors of the frame
	 */
	__le32 command;
	/**
	 * @extra: transmit: length of the whole frame, then status; receive:
	 * zero, then length in the low half
	 */
	__le32 extra;
};

static_assert(sizeof(struct igb_desc) == 16);

#define IGB_SEND_DATA			(3 << 20)	/* a data descriptor */
#define IGB_SEND_END			BIT(24)
#define IGB_SEND_ADD_CRC		BIT(25)
#define IGB_SEND_REPORT			BIT(27)
#define IGB_SEND_ADVANCED		BIT(29)
#define IGB_SEND_TOTAL_SHIFT		14		/* of @extra */

#define IGB_DONE			BIT(0)		/* of the status */
#define IGB_RECV_END			BIT(1)
#define IGB_RECV_ERROR			BIT(31)
#define IGB_RECV_LENGTH			GENMASK(15, 0)	/* of @extra */

#define IGB_CRC				4

#endif /* PEERBUF_IGB_REGS_H */

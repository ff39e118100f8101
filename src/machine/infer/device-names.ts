/**
 * Ids by the names that lspci prints: a line for each vendor, below it a blank and a line for each device. Facts of the PCI ID Project's
 * list (pci.ids 2023.04.10, 3-clause BSD licence, https://pci-ids.ucw.cz), chosen and laid out anew by scripts/device-names.ts.
 */

export const DEVICE_NAMES: string = `
0014 Loongson Technology LLC
 7a00 Hyper Transport Bridge Controller
 7a02 APB (Advanced Peripheral Bus) Controller
 7a03 Gigabit Ethernet Controller
 7a04 OTG USB Controller
 7a05 Vivante GPU (Graphics Processing Unit)
 7a06 DC (Display Controller)
 7a07 HDA (High Definition Audio) Controller
 7a08 SATA AHCI Controller
 7a09 PCI-to-PCI Bridge
 7a0b SPI Controller
 7a0c LPC Controller
 7a0f DMA (Direct Memory Access) Controller
 7a10 Hyper Transport Bridge Controller
 7a14 EHCI USB Controller
 7a15 Vivante GPU (Graphics Processing Unit)
 7a19 PCI-to-PCI Bridge
 7a24 OHCI USB Controller
 7a29 PCI-to-PCI Bridge
1000 Broadcom / LSI
 00a5 Fusion-MPT 24GSAS/PCIe SAS40xx
 00b2 PCIe Switch management endpoint
 00e0 Fusion-MPT 12GSAS/PCIe Unsupported SAS39xx
 00e1 Fusion-MPT 12GSAS/PCIe SAS39xx
 00e2 Fusion-MPT 12GSAS/PCIe Secure SAS39xx
 00e3 Fusion-MPT 12GSAS/PCIe Unsupported SAS39xx
 00e4 Fusion-MPT 12GSAS/PCIe Unsupported SAS38xx
 00e5 Fusion-MPT 12GSAS/PCIe SAS38xx
 00e6 Fusion-MPT 12GSAS/PCIe Secure SAS38xx
 00e7 Fusion-MPT 12GSAS/PCIe Unsupported SAS38xx
 02b0 Virtual Endpoint on PCIe Switch
 02b1 Virtual Endpoint on PCIe Switch (9749)
 02b2 Virtual PCIe Placeholder Endpoint
 10e0 MegaRAID 12GSAS/PCIe Unsupported SAS39xx
 10e1 MegaRAID 12GSAS/PCIe SAS39xx
 10e2 MegaRAID 12GSAS/PCIe Secure SAS39xx
 10e3 MegaRAID 12GSAS/PCIe Unsupported SAS39xx
 10e4 MegaRAID 12GSAS/PCIe Unsupported SAS38xx
 10e5 MegaRAID 12GSAS/PCIe SAS38xx
 10e6 MegaRAID 12GSAS/PCIe Secure SAS38xx
 10e7 MegaRAID 12GSAS/PCIe Unsupported SAS38xx
 c010 PEX880xx PCIe Gen 4 Switch
 c012 PEX880xx PCIe Gen 4 Switch
 c030 PEX890xx PCIe Gen 5 Switch
 c034 PEX890xx PCIe Gen 5 Switch
1002 Advanced Micro Devices, Inc. [AMD/ATI]
 13e9 Ariel/Navi10Lite
 13f9 Oberon/Navi12Lite
 13fe Cyan Skillfish [BC-250]
 1478 Navi 10 XL Upstream Port of PCI Express Switch
 1479 Navi 10 XL Downstream Port of PCI Express Switch
 154c Kryptos [Radeon RX 350]
 15d8 Picasso/Raven 2 [Radeon Vega Series / Radeon Vega Mobile Series]
 15dd Raven Ridge [Radeon Vega Series / Radeon Vega Mobile Series]
 1638 Cezanne [Radeon Vega Series / Radeon Vega Mobile Series]
 1681 Rembrandt [Radeon 680M]
 5951 RX480/RX482 Host Bridge
 5952 RD580 Host Bridge
 5956 RD790 Host Bridge
 5957 RX780/RX790 Host Bridge
 5958 RD780 Host Bridge
 5a10 RD890 Northbridge only dual slot (2x16) PCI-e GFX Hydra part
 5a11 RD890 Northbridge only single slot PCI-e GFX Hydra part
 5a12 RD890 Northbridge only dual slot (2x8) PCI-e GFX Hydra part
 5a14 RD9x0/RX980 Host Bridge
 6600 Mars [Radeon HD 8670A/8670M/8750M / R7 M370]
 6601 Mars [Radeon HD 8730M]
 6606 Mars XTX [Radeon HD 8790M]
 6607 Mars LE [Radeon HD 8530M / R5 M240]
 6608 Oland GL [FirePro W2100]
 6609 Oland GL [FirePro W2100 / Barco MXRT 2600]
 6610 Oland XT [Radeon HD 8670 / R5 340X OEM / R7 250/350/350X OEM]
 6611 Oland [Radeon HD 8570 / R5 430 OEM / R7 240/340 / Radeon 520 OEM]
 6640 Saturn XT [FirePro M6100]
 6641 Saturn PRO [Radeon HD 8930M]
 6649 Bonaire [FirePro W5100]
 664d Bonaire [FirePro W5100 / Barco MXRT-5600]
 665c Bonaire XT [Radeon HD 7790/8770 / R7 360 / R9 260/360 OEM]
 6660 Sun XT [Radeon HD 8670A/8670M/8690M / R5 M330 / M430 / Radeon 520 Mobile]
 6663 Sun PRO [Radeon HD 8570A/8570M]
 666f Sun LE [Radeon HD 8550M / R5 M230]
 66a0 Vega 20 [Radeon Instinct]
 66a1 Vega 20 [Radeon Pro VII/Radeon Instinct MI50 32GB]
 66a2 Vega 20
 66a3 Vega 20 [Radeon Pro Vega II/Radeon Pro Vega II Duo]
 66a7 Vega 20 [Radeon Pro Vega 20]
 66af Vega 20 [Radeon VII]
 6704 Cayman PRO GL [FirePro V7900]
 6707 Cayman LE GL [FirePro V5900]
 6749 Turks GL [FirePro V4900]
 674a Turks GL [FirePro V3900]
 6751 Turks [Radeon HD 7650A/7670A]
 675b Turks [Radeon HD 7600 Series]
 675d Turks PRO [Radeon HD 7570]
 6771 Caicos XTX [Radeon HD 8490 / R5 235X OEM]
 6772 Caicos [Radeon HD 7450A]
 6778 Caicos XT [Radeon HD 7470/8470 / R5 235/310 OEM]
 677b Caicos PRO [Radeon HD 7450]
 6780 Tahiti XT GL [FirePro W9000]
 6784 Tahiti [FirePro Series Graphics Adapter]
 6788 Tahiti [FirePro Series Graphics Adapter]
 678a Tahiti PRO GL [FirePro Series]
 6798 Tahiti XT [Radeon HD 7970/8970 OEM / R9 280X]
 679a Tahiti PRO [Radeon HD 7950/8950 OEM / R9 280]
 679b Malta [Radeon HD 7990/8990 OEM]
 679e Tahiti LE [Radeon HD 7870 XT]
 67a0 Hawaii XT GL [FirePro W9100]
 67a1 Hawaii PRO GL [FirePro W8100]
 67c0 Ellesmere [Radeon Pro WX 7100 Mobile]
 67c2 Ellesmere [Radeon Pro V7300X / V7350x2]
 67c4 Ellesmere [Radeon Pro WX 7100]
 67c7 Ellesmere [Radeon Pro WX 5100]
 67d0 Ellesmere [Radeon Pro V7300X / V7350x2]
 67d4 Ellesmere [Radeon Pro WX 7100 / Barco MXRT-8700]
 67d7 Ellesmere [Radeon Pro WX 5100 / Barco MXRT-6700]
 67df Ellesmere [Radeon RX 470/480/570/570X/580/580X/590]
 67e0 Baffin [Radeon Pro WX 4170]
 67e3 Baffin [Radeon Pro WX 4100]
 67e8 Baffin [Radeon Pro WX 4130/4150]
 67eb Baffin [Radeon Pro V5300X]
 67ef Baffin [Radeon RX 460/560D / Pro 450/455/460/555/555X/560/560X]
 67ff Baffin [Radeon RX 550 640SP / RX 560/560X]
 6800 Wimbledon XT [Radeon HD 7970M]
 6801 Neptune XT [Radeon HD 8970M]
 6808 Pitcairn XT GL [FirePro W7000]
 6809 Pitcairn LE GL [FirePro W5000]
 6818 Pitcairn XT [Radeon HD 7870 GHz Edition]
 6819 Pitcairn PRO [Radeon HD 7850 / R7 265 / R9 270 1024SP]
 6820 Venus XTX [Radeon HD 8890M / R9 M275X/M375X]
 6821 Venus XT [Radeon HD 8870M / R9 M270X/M370X]
 6823 Venus PRO [Radeon HD 8850M / R9 M265X]
 6825 Heathrow XT [Radeon HD 7870M]
 6826 Chelsea LP [Radeon HD 7700M Series]
 6827 Heathrow PRO [Radeon HD 7850M/8850M]
 6828 Cape Verde PRO [FirePro W600]
 682b Cape Verde PRO / Venus LE / Tropo PRO-L [Radeon HD 8830M / R7 250 / R7 M465X]
 682c Cape Verde GL [FirePro W4100]
 682d Chelsea XT GL [FirePro M4000]
 682f Chelsea LP [Radeon HD 7730M]
 6837 Cape Verde LE [Radeon HD 7730/8730]
 683d Cape Verde XT [Radeon HD 7770/8760 / R7 250X]
 683f Cape Verde PRO [Radeon HD 7750/8740 / R7 250E]
 6840 Thames [Radeon HD 7500M/7600M Series]
 6841 Thames [Radeon HD 7550M/7570M/7650M]
 6842 Thames LE [Radeon HD 7000M Series]
 6843 Thames [Radeon HD 7670M]
 6860 Vega 10 [Instinct MI25/MI25x2/V340/V320]
 6861 Vega 10 XT [Radeon PRO WX 9100]
 6862 Vega 10 XT [Radeon PRO SSG]
 6863 Vega 10 XTX [Radeon Vega Frontier Edition]
 6864 Vega 10 [Radeon Pro V340/Instinct MI25x2]
 6867 Vega 10 XL [Radeon Pro Vega 56]
 6868 Vega 10 [Radeon PRO WX 8100/8200]
 6869 Vega 10 XGA [Radeon Pro Vega 48]
 686a Vega 10 LEA
 686b Vega 10 XTXA [Radeon Pro Vega 64X]
 686c Vega 10 [Instinct MI25 MxGPU/MI25x2 MxGPU/V340 MxGPU/V340L MxGPU]
 686d Vega 10 GLXTA
 686e Vega 10 GLXLA
 687f Vega 10 XL/XT [Radeon RX Vega 56/64]
 6888 Cypress XT [FirePro V8800]
 6889 Cypress PRO [FirePro V7800]
 688a Cypress XT [FirePro V9800]
 68a9 Juniper XT [FirePro V5800]
 68c8 Redwood XT GL [FirePro V4800]
 68c9 Redwood PRO GL [FirePro V3800]
 68f1 Cedar GL [FirePro 2460]
 68f2 Cedar GL [FirePro 2270]
 68f8 Cedar [Radeon HD 7300 Series]
 68fa Cedar [Radeon HD 7350/8350 / R5 220]
 6929 Tonga XT GL [FirePro S7150]
 692b Tonga PRO GL [FirePro W7100]
 692f Tonga XTV GL [FirePro S7150V]
 693b Tonga PRO GL [FirePro W7100 / Barco MXRT-7600]
 694c Polaris 22 XT [Radeon RX Vega M GH]
 694e Polaris 22 XL [Radeon RX Vega M GL]
 694f Polaris 22 MGL XL [Radeon Pro WX Vega M GL]
 6981 Lexa XT [Radeon PRO WX 3200]
 6985 Lexa XT [Radeon PRO WX 3100]
 6987 Lexa [Radeon 540X/550X/630 / RX 640 / E9171 MCM]
 698f Lexa XT [Radeon PRO WX 3100 / Barco MXRT 4700]
 6995 Lexa XT [Radeon PRO WX 2100]
 699f Lexa PRO [Radeon 540/540X/550/550X / RX 540X/550/550X]
 69a0 Vega 12
 69a1 Vega 12
 69a2 Vega 12
 69a3 Vega 12
 69af Vega 12 [Radeon Pro Vega 20]
 6fdf Polaris 20 XL [Radeon RX 580 2048SP]
 7310 Navi 10 [Radeon Pro W5700X]
 7312 Navi 10 [Radeon Pro W5700]
 7319 Navi 10 [Radeon Pro 5700 XT]
 731b Navi 10 [Radeon Pro 5700]
 731f Navi 10 [Radeon RX 5600 OEM/5600 XT / 5700/5700 XT]
 7340 Navi 14 [Radeon RX 5500/5500M / Pro 5500M]
 7341 Navi 14 [Radeon Pro W5500]
 7347 Navi 14 [Radeon Pro W5500M]
 734f Navi 14 [Radeon Pro W5300M]
 7360 Navi 12 [Radeon Pro 5600M/V520/BC-160]
 7362 Navi 12 [Radeon Pro V520/V540]
 738c Arcturus GL-XL [Instinct MI100]
 738e Arcturus GL-XL [Instinct MI100]
 73a1 Navi 21 [Radeon Pro V620]
 73a2 Navi 21 Pro-XTA [Radeon Pro W6900X]
 73a3 Navi 21 GL-XL [Radeon PRO W6800]
 73a5 Navi 21 [Radeon RX 6950 XT]
 73ab Navi 21 Pro-XLA [Radeon Pro W6800X/Radeon Pro W6800X Duo]
 73ae Navi 21 [Radeon Pro V620 MxGPU]
 73af Navi 21 [Radeon RX 6900 XT]
 73bf Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]
 73c3 Navi 22
 73ce Navi22-XL SRIOV MxGPU
 73df Navi 22 [Radeon RX 6700/6700 XT/6750 XT / 6800M/6850M XT]
 73e0 Navi 23
 73e1 Navi 23 WKS-XM [Radeon PRO W6600M]
 73e3 Navi 23 WKS-XL [Radeon PRO W6600]
 73ef Navi 23 [Radeon RX 6650 XT / 6700S / 6800S]
 73ff Navi 23 [Radeon RX 6600/6600 XT/6600M]
 7408 Aldebaran/MI200 [Instinct MI250X]
 740c Aldebaran/MI200 [Instinct MI250X/MI250]
 740f Aldebaran/MI200 [Instinct MI210]
 7421 Navi 24 [Radeon PRO W6500M]
 7422 Navi 24 [Radeon PRO W6400]
 7423 Navi 24 [Radeon PRO W6300/W6300M]
 7424 Navi 24 [Radeon RX 6300]
 743f Navi 24 [Radeon RX 6400/6500 XT/6500M]
 744c Navi 31 [Radeon RX 7900 XT/7900 XTX]
 7480 Navi 33 [Radeon RX 7700S/7600S]
 7483 Navi 33 [Radeon RX 7600M/7600M XT]
 74a0 Aqua Vanjaram [Instinct MI300A]
 74a1 Aqua Vanjaram [Instinct MI300X]
 74a5 Aqua Vanjaram [Instinct MI325X]
 74b5 Aqua Vanjaram [Instinct MI300X VF]
 7550 Navi 48 [Radeon RX 9070/9070 XT/9070 GRE]
 9808 Wrestler [Radeon HD 7340]
 9809 Wrestler [Radeon HD 7310]
 980a Wrestler [Radeon HD 7290]
 9830 Kabini [Radeon HD 8400 / R3 Series]
 9831 Kabini [Radeon HD 8400E]
 9832 Kabini [Radeon HD 8330]
 9833 Kabini [Radeon HD 8330E]
 9834 Kabini [Radeon HD 8210]
 9835 Kabini [Radeon HD 8310E]
 9836 Kabini [Radeon HD 8280 / R3 Series]
 9837 Kabini [Radeon HD 8280E]
 9838 Kabini [Radeon HD 8240 / R3 Series]
 9839 Kabini [Radeon HD 8180]
 983d Temash [Radeon HD 8250/8280G]
 9857 Mullins [Radeon APU XX-2200M with R2 Graphics]
 9900 Trinity [Radeon HD 7660G]
 9901 Trinity [Radeon HD 7660D]
 9903 Trinity [Radeon HD 7640G]
 9904 Trinity [Radeon HD 7560D]
 9905 Trinity GL [FirePro A300]
 9906 Trinity GL [FirePro A320]
 9907 Trinity [Radeon HD 7620G]
 9908 Trinity [Radeon HD 7600G]
 9909 Trinity [Radeon HD 7500G]
 990a Trinity [Radeon HD 7500G]
 990b Richland [Radeon HD 8650G]
 990c Richland [Radeon HD 8670D]
 990d Richland [Radeon HD 8550G]
 990e Richland [Radeon HD 8570D]
 990f Richland [Radeon HD 8610G]
 9910 Trinity [Radeon HD 7660G]
 9913 Trinity [Radeon HD 7640G]
 9917 Trinity [Radeon HD 7620G]
 9918 Trinity [Radeon HD 7600G]
 9919 Trinity [Radeon HD 7500G]
 9990 Trinity 2 [Radeon HD 7520G]
 9991 Trinity 2 [Radeon HD 7540D]
 9992 Trinity 2 [Radeon HD 7420G]
 9993 Trinity 2 [Radeon HD 7480D]
 9994 Trinity 2 [Radeon HD 7400G]
 9995 Richland [Radeon HD 8450G]
 9996 Richland [Radeon HD 8470D]
 9997 Richland [Radeon HD 8350G]
 9998 Richland [Radeon HD 8370D]
 9999 Richland [Radeon HD 8510G]
 999a Richland [Radeon HD 8410G]
 999b Richland [Radeon HD 8310G]
 999c Richland [Radeon HD 8650D]
 999d Richland [Radeon HD 8550D]
 99a0 Trinity 2 [Radeon HD 7520G]
 99a2 Trinity 2 [Radeon HD 7420G]
 99a4 Trinity 2 [Radeon HD 7400G]
1014 IBM
 0002 PCI to MCA Bridge
 000a PCI to ISA Bridge (IBM27-82376) [Fire Coral]
 0017 CPU to PCI Bridge
 0022 PCI to PCI Bridge (IBM27-82351)
 0036 PCI to 32-bit LocalBus Bridge [Miami]
 0037 PowerPC to PCI Bridge (IBM27-82660)
 003a CPU to PCI Bridge
 0047 PCI to PCI Bridge
 0048 PCI to PCI Bridge
 0057 MPEG PCI Bridge
 008b EADS PCI to PCI Bridge
 0095 20H2999 PCI Docking Bridge
 00fc CPC710 Dual Bridge and Memory Controller (PCI-64)
 0105 CPC710 Dual Bridge and Memory Controller (PCI-32)
 0156 405GP PLB to PCI Bridge
 0188 EADS-X PCI-X to PCI-X Bridge
 01a7 PCI-X to PCI-X Bridge
 01ef PowerPC 440GP PCI Bridge
 02a1 Calgary PCI-X Host Bridge
 0302 Winnipeg PCI-X Host Bridge
 0308 CalIOC2 PCI-E Root Port
 03dc POWER8 Host Bridge (PHB3)
 04c1 POWER9 Host Bridge (PHB4)
1022 Advanced Micro Devices, Inc. [AMD]
 1100 K8 [Athlon64/Opteron] HyperTransport Technology Configuration
 1110 Krackan Internal PCIe GPP Bridge 0 to Bus A
 1122 Krackan Root Complex
 1123 Krackan IOMMU
 1200 Family 10h Processor HyperTransport Configuration
 1248 Krackan Data Fabric; Function 0
 12b8 Strix Halo Data Fabric; Function 0
 12c0 Turin Data Fabric; Function 0
 1300 Family 11h Processor HyperTransport Configuration
 13e0 Ariel Root Complex
 13e1 Ariel IOMMU
 13e2 Ariel PCIe Dummy Host Bridge
 13e3 Ariel PCIe GPP Bridge
 13e4 Ariel PCIe Dummy Host Bridge
 13e5 Ariel Internal PCIe GPP Bridge 0 to Bus A
 13e6 Ariel Internal PCIe GPP Bridge 0 to Bus B
 13ec Ariel Cryptographic Coprocessor
 13f0 Ariel Device 24: Function 0
 13f1 Ariel Device 24: Function 1
 13f2 Ariel Device 24: Function 2
 13f3 Ariel Device 24: Function 3
 13f4 Ariel Device 24: Function 4
 13f5 Ariel Device 24: Function 5
 13f6 Ariel Device 24: Function 6
 13f7 Ariel Device 24: Function 7
 1400 Family 15h (Models 10h-1fh) Processor Function 0
 1401 Family 15h (Models 10h-1fh) Processor Function 1
 1402 Family 15h (Models 10h-1fh) Processor Function 2
 1403 Family 15h (Models 10h-1fh) Processor Function 3
 1404 Family 15h (Models 10h-1fh) Processor Function 4
 1405 Family 15h (Models 10h-1fh) Processor Function 5
 1410 Family 15h (Models 10h-1fh) Processor Root Complex
 1412 Family 15h (Models 10h-1fh) Processor Root Port
 1413 Family 15h (Models 10h-1fh) Processor Root Port
 1414 Family 15h (Models 10h-1fh) Processor Root Port
 1415 Family 15h (Models 10h-1fh) Processor Root Port
 1416 Family 15h (Models 10h-1fh) Processor Root Port
 1417 Family 15h (Models 10h-1fh) Processor Root Port
 1418 Family 15h (Models 10h-1fh) Processor Root Port
 141a Family 15h (Models 30h-3fh) Processor Function 0
 141b Family 15h (Models 30h-3fh) Processor Function 1
 141c Family 15h (Models 30h-3fh) Processor Function 2
 141d Family 15h (Models 30h-3fh) Processor Function 3
 141e Family 15h (Models 30h-3fh) Processor Function 4
 141f Family 15h (Models 30h-3fh) Processor Function 5
 1422 Family 15h (Models 30h-3fh) Processor Root Complex
 1424 Family 15h (Models 30h-3fh) Processor Root Port
 1425 Kaveri P2P Bridge for GFX PCIe Port [1:0]
 1426 Family 15h (Models 30h-3fh) Processor Root Port
 1436 Liverpool Processor Root Complex
 1438 Liverpool UMI PCIe Dummy Host Bridge
 1439 Family 16h Processor Functions 5:1
 143a Kingston/Clayton/Gladius/Montego Root Complex
 1440 Matisse/Vermeer Data Fabric: Device 18h; Function 0
 1441 Matisse/Vermeer Data Fabric: Device 18h; Function 1
 1442 Matisse/Vermeer Data Fabric: Device 18h; Function 2
 1443 Matisse/Vermeer Data Fabric: Device 18h; Function 3
 1444 Matisse/Vermeer Data Fabric: Device 18h; Function 4
 1445 Matisse/Vermeer Data Fabric: Device 18h; Function 5
 1446 Matisse/Vermeer Data Fabric: Device 18h; Function 6
 1447 Matisse/Vermeer Data Fabric: Device 18h; Function 7
 1448 Renoir Device 24: Function 0
 1449 Renoir Device 24: Function 1
 144a Renoir Device 24: Function 2
 144b Renoir Device 24: Function 3
 144c Renoir Device 24: Function 4
 144d Renoir Device 24: Function 5
 144e Renoir Device 24: Function 6
 144f Renoir Device 24: Function 7
 1450 Family 17h (Models 00h-0fh) Root Complex
 1452 Family 17h (Models 00h-1fh) PCIe Dummy Host Bridge
 1453 Family 17h (Models 00h-0fh) PCIe GPP Bridge
 1454 Family 17h (Models 00h-0fh) Internal PCIe GPP Bridge 0 to Bus B
 1455 Zeppelin/Renoir PCIe Dummy Function
 145a Zeppelin/Raven/Raven2 PCIe Dummy Function
 145d Zeppelin Switch Upstream (PCIE SW.US)
 145e Zeppelin Switch Downstream (PCIE SW.DS)
 1460 Family 17h (Models 00h-0fh) Data Fabric: Device 18h; Function 0
 1461 Family 17h (Models 00h-0fh) Data Fabric: Device 18h; Function 1
 1462 Family 17h (Models 00h-0fh) Data Fabric: Device 18h; Function 2
 1463 Family 17h (Models 00h-0fh) Data Fabric: Device 18h; Function 3
 1464 Family 17h (Models 00h-0fh) Data Fabric: Device 18h; Function 4
 1465 Family 17h (Models 00h-0fh) Data Fabric: Device 18h; Function 5
 1466 Family 17h (Models 00h-0fh) Data Fabric: Device 18h; Function 6
 1467 Family 17h (Models 00h-0fh) Data Fabric: Device 18h; Function 7
 1468 Zeppelin Cryptographic Coprocessor NTBCCP
 1470 Vega 10 PCIe Bridge
 1471 Vega 10 PCIe Bridge
 1480 Starship/Matisse Root Complex
 1481 Starship/Matisse IOMMU
 1482 Starship/Matisse PCIe Dummy Host Bridge
 1483 Starship/Matisse GPP Bridge
 1484 Starship/Matisse Internal PCIe GPP Bridge 0 to bus[E:B]
 1486 Starship/Matisse Cryptographic Coprocessor PSPCPP
 148a Starship/Matisse PCIe Dummy Function
 148d Starship/Matisse Switch Upstream (PCIE SW.US)
 148e Starship/Matisse Switch Downstream (PCIE SW.DS)
 1490 Starship Device 24; Function 0
 1491 Starship Device 24; Function 1
 1492 Starship Device 24; Function 2
 1493 Starship Device 24; Function 3
 1494 Starship Device 24; Function 4
 1495 Starship Device 24; Function 5
 1496 Starship Device 24; Function 6
 1497 Starship Device 24; Function 7
 149a Starship PCIe GPP Bridge [1:0]
 149e Genoa/Bergamo IOMMU
 149f Genoa/Bergamo Dummy Host Bridge
 14a4 Genoa/Bergamo Root Complex
 14a5 Genoa/Bergamo GPP Bridge
 14a7 Genoa/Bergamo Internal PCIe GPP Bridge to Bus [D:B]
 14aa Genoa/Bergamo GPP Bridge
 14ab Genoa/Bergamo GPP Bridge
 14ac Genoa/Bergamo Dummy Function
 14ad Genoa/Bergamo Data Fabric; Function 0
 14b5 Family 17h-19h PCIe Root Complex
 14b6 Family 17h-19h IOMMU
 14b7 Family 17h-19h PCIe Dummy Host Bridge
 14b9 Family 17h-19h Internal PCIe GPP Bridge
 14ba Family 17h-19h PCIe GPP Bridge
 14cd Family 19h USB4/Thunderbolt PCIe tunnel
 14d8 Raphael/Granite Ridge Root Complex
 14d9 Raphael/Granite Ridge IOMMU
 14da Raphael/Granite Ridge Dummy Host Bridge
 14db Raphael/Granite Ridge GPP Bridge
 14dd Raphael/Granite Ridge Internal GPP Bridge to Bus [C:A]
 14de Raphael/Granite Ridge PCIe Dummy Function
 14e0 Raphael/Granite Ridge Data Fabric; Function 0
 14e8 Phoenix Root Complex
 14e9 Phoenix IOMMU
 14ea Phoenix Dummy Host Bridge
 14eb Phoenix Internal GPP Bridge to Bus [C:A]
 14ed Phoenix GPP Bridge
 14ee Phoenix GPP Bridge
 14f0 Phoenix Data Fabric; Function 0
 1507 Strix/Strix Halo Root Complex
 1508 Strix/Strix Halo IOMMU
 1509 Strix/Strix Halo Dummy Host Bridge
 150b Strix/Strix Halo GPP Bridge
 150c Strix/Strix Halo Internal GPP Bridge to Bus [C:A]
 1510 Family 14h Processor Root Complex
 1512 Family 14h Processor Root Port
 1513 Family 14h Processor Root Port
 1514 Family 14h Processor Root Port
 1515 Family 14h Processor Root Port
 1516 Family 14h Processor Root Port
 1530 Family 16h Processor Function 0
 1531 Family 16h Processor Function 1
 1532 Family 16h Processor Function 2
 1533 Family 16h Processor Function 3
 1534 Family 16h Processor Function 4
 1535 Family 16h Processor Function 5
 1536 Family 16h Processor Root Complex
 1538 Family 16h Processor Function 0
 1539 Kabini P2P Bridge for PCIe Ports[4:0]
 153a Turin Root Complex
 153b Turin IOMMU
 153d Turin PCIe Dummy Host Bridge
 153e Turin GPP Bridge
 1546 Kryptos/Cato/Garfield/Garfield+/Arlene/Pooky Root Complex
 1547 Kryptos/Cato/Garfield/Garfield+/Arlene/Pooky IOMMU
 1548 Kryptos/Cato/Garfield/Garfield+/Arlene/Pooky UMI PCIe Dummy Host Bridge
 1549 Kryptos/Cato/Garfield/Garfield+ P2P Bridge for PCIe Port [3:0]
 1554 Turin GPP Bridge
 1555 Turin Internal PCIe GPP Bridge to Bus [D:C]
 155b Anubis Root Complex
 155c Anubis IOMMU
 155d Anubis UMI PCIe Dummy Bridge
 155e Anubis P2P Bridge for PCIe Ports [4:0]
 1566 Family 16h (Models 30h-3fh) Processor Root Complex
 1567 Mullins IOMMU
 156b Family 16h (Models 30h-3fh) Host Bridge
 1570 Family 15h (Models 60h-6fh) Processor Function 0
 1571 Family 15h (Models 60h-6fh) Processor Function 1
 1572 Family 15h (Models 60h-6fh) Processor Function 2
 1573 Family 15h (Models 60h-6fh) Processor Function 3
 1574 Family 15h (Models 60h-6fh) Processor Function 4
 1575 Family 15h (Models 60h-6fh) Processor Function 5
 1576 Family 15h (Models 60h-6fh) Processor Root Complex
 157b Family 15h (Models 60h-6fh) Host Bridge
 157c Family 15h (Models 60h-6fh) Processor Root Port
 157d Carrizo Audio Dummy Host Bridge
 1580 Family 16h (Models 30h-3fh) Processor Function 0
 1581 Family 16h (Models 30h-3fh) Processor Function 1
 1582 Family 16h (Models 30h-3fh) Processor Function 2
 1583 Family 16h (Models 30h-3fh) Processor Function 3
 1584 Family 16h (Models 30h-3fh) Processor Function 4
 1585 Family 16h (Models 30h-3fh) Processor Function 5
 1596 Amur/Nolan Root Complex
 1597 Amur/Nolan IOMMU
 1599 Amur/Nolan PCIe Dummy Host Bridge
 15bc Stoney PCIe [GFX,GPP] Bridge [4:0]
 15d0 Raven/Raven2 Root Complex
 15d1 Raven/Raven2 IOMMU
 15d2 Raven/Raven2 PCIe Dummy Host Bridge
 15d3 Raven/Raven2 PCIe GPP Bridge [6:0]
 15da Raven/Raven2 PCIe Dummy Host Bridge
 15db Raven/Raven2 Internal PCIe GPP Bridge 0 to Bus A
 15dc Raven/Raven2 Internal PCIe GPP Bridge 0 to Bus B
 15e8 Raven/Raven2 Device 24: Function 0
 15e9 Raven/Raven2 Device 24: Function 1
 15ea Raven/Raven2 Device 24: Function 2
 15eb Raven/Raven2 Device 24: Function 3
 15ec Raven/Raven2 Device 24: Function 4
 15ed Raven/Raven2 Device 24: Function 5
 15ee Raven/Raven2 Device 24: Function 6
 15ef Raven/Raven2 Device 24: Function 7
 15f0 FireFlight Device 24: Function 0
 15f1 FireFlight Device 24: Function 1
 15f2 FireFlight Device 24: Function 2
 15f3 FireFlight Device 24: Function 3
 15f4 FireFlight Device 24: Function 4
 15f5 FireFlight Device 24: Function 5
 15f6 FireFlight Device 24: Function 6
 15f7 FireFlight Device 24: Function 7
 15f8 FireFlight Root Complex
 15f9 FireFlight IOMMU
 15fa FireFlight PCIe Dummy Host Bridge
 15fb FireFlight PCIe GPP Bride 3:0
 15fc FireFlight PCIe Dummy Host Bridge
 15fd FireFlight Internal PCIe GPP Bridge 0 to Bus A
 15fe FireFlight Internal PCIe GPP Bridge 0 to Bus B
 1600 Family 15h Processor Function 0
 1601 Family 15h Processor Function 1
 1602 Family 15h Processor Function 2
 1603 Family 15h Processor Function 3
 1604 Family 15h Processor Function 4
 1605 Family 15h Processor Function 5
 1626 Arden Root Complex
 1627 Arden IOMMU
 1628 Arden PCIe Dummy Host Bridge
 1629 Arden PCIe GPP Bridge
 162a Arden Internal PCIe GPP Bridge 0 to bus X
 162b Arden PCIe Non-Transparent Bridge
 1630 Renoir/Cezanne Root Complex
 1631 Renoir/Cezanne IOMMU
 1632 Renoir PCIe Dummy Host Bridge
 1633 Renoir PCIe GPP Bridge
 1634 Renoir/Cezanne PCIe GPP Bridge
 1635 Renoir Internal PCIe GPP Bridge to Bus
 1645 VanGogh Root Complex
 1646 VanGogh IOMMU
 1647 VanGogh PCIe GPP Bridge
 1648 VanGogh Internal PCIe GPP Bridge to Bus
 164f Milan IOMMU
 1650 Milan Data Fabric; Function 0
 1651 Milan Data Fabric; Function 1
 1652 Milan Data Fabric; Function 2
 1653 Milan Data Fabric; Function 3
 1654 Milan Data Fabric; Function 4
 1655 Milan Data Fabric; Function 5
 1656 Milan Data Fabric; Function 6
 1657 Milan Data Fabric; Function 7
 1660 VanGogh Data Fabric; Function 0
 1661 VanGogh Data Fabric; Function 1
 1662 VanGogh Data Fabric; Function 2
 1663 VanGogh Data Fabric; Function 3
 1664 VanGogh Data Fabric; Function 4
 1665 VanGogh Data Fabric; Function 5
 1666 VanGogh Data Fabric; Function 6
 1667 VanGogh Data Fabric; Function 7
 166a Cezanne Data Fabric; Function 0
 166b Cezanne Data Fabric; Function 1
 166c Cezanne Data Fabric; Function 2
 166d Cezanne Data Fabric; Function 3
 166e Cezanne Data Fabric; Function 4
 166f Cezanne Data Fabric; Function 5
 1670 Cezanne Data Fabric; Function 6
 1671 Cezanne Data Fabric; Function 7
 1679 Rembrandt Data Fabric: Device 18h; Function 0
 167a Rembrandt Data Fabric: Device 18h; Function 1
 167b Rembrandt Data Fabric: Device 18h; Function 2
 167c Rembrandt Data Fabric: Device 18h; Function 3
 167d Rembrandt Data Fabric: Device 18h; Function 4
 167e Rembrandt Data Fabric: Device 18h; Function 5
 167f Rembrandt Data Fabric: Device 18h; Function 6
 1680 Rembrandt Data Fabric: Device 18h; Function 7
 16f8 Strix Data Fabric; Function 0
 1700 Family 12h/14h Processor Function 0
 1701 Family 12h/14h Processor Function 1
 1702 Family 12h/14h Processor Function 2
 1703 Family 12h/14h Processor Function 3
 1704 Family 12h/14h Processor Function 4
 1705 Family 12h Processor Root Complex
 1707 Family 12h Processor Root Port
 1708 Family 12h Processor Root Port
 1709 Family 12h Processor Root Port
 170a Family 12h Processor Root Port
 170b Family 12h Processor Root Port
 170c Family 12h Processor Root Port
 170d Family 12h Processor Root Port
 1716 Family 12h/14h Processor Function 5
 1718 Family 12h/14h Processor Function 6
 1719 Family 12h/14h Processor Function 7
 2080 CS5536 [Geode companion] Host Bridge
 43b0 X370 Series Chipset PCIe Upstream Port
 43b1 X399 Series Chipset PCIe Bridge
 43b4 300 Series Chipset PCIe Port
 43c6 400 Series Chipset PCIe Bridge
 43c7 400 Series Chipset PCIe Port
 43e9 500 Series Chipset Switch Upstream Port
 57a3 Matisse PCIe GPP Bridge
 57a4 Matisse PCIe GPP Bridge
 57ad Matisse Switch Upstream
 9600 RS780 Host Bridge
 9601 RS880 Host Bridge
1039 Silicon Integrated Systems [SiS]
104c Texas Instruments
106b Apple Inc.
1077 QLogic Corp.
 1634 FastLinQ QL45000 Series 40GbE Controller
 1644 FastLinQ QL45000 Series 100GbE Controller
 1654 FastLinQ QL45000 Series 50GbE Controller
 1656 FastLinQ QL45000 Series 25GbE Controller
 165c FastLinQ QL45000 Series 10/25/40/50GbE Controller (FCoE)
 165e FastLinQ QL45000 Series 10/25/40/50GbE Controller (iSCSI)
 1664 FastLinQ QL45000 Series Gigabit Ethernet Controller (SR-IOV VF)
 8070 FastLinQ QL41000 Series 10/25/40/50GbE Controller
 8080 FastLinQ QL41000 Series 10/25/40/50GbE Controller (FCoE)
 8084 FastLinQ QL41000 Series 10/25/40/50GbE Controller (iSCSI)
 8090 FastLinQ QL41000 Series Gigabit Ethernet Controller (SR-IOV VF)
108e Oracle/SUN
10b5 PLX Technology, Inc.
 8111 PEX 8111 PCI Express-to-PCI Bridge
 8112 PEX8112 x1 Lane PCI Express-to-PCI Bridge
 8114 PEX 8114 PCI Express-to-PCI/PCI-X Bridge
 8311 PEX8311 x1 Lane PCI Express-to-Generic Local Bus Bridge
 8505 PEX 8505 5-lane, 5-port PCI Express Switch
 8508 PEX 8508 8-lane, 5-port PCI Express Switch
 8509 PEX 8509 8-lane, 8-port PCI Express Switch
 8512 PEX 8512 12-lane, 5-port PCI Express Switch
 8516 PEX 8516  Versatile PCI Express Switch
 8517 PEX 8517 16-lane, 5-port PCI Express Switch
 8518 PEX 8518 16-lane, 5-port PCI Express Switch
 8524 PEX 8524 24-lane, 6-port PCI Express Switch
 8525 PEX 8525 24-lane, 5-port PCI Express Switch
 8532 PEX 8532  Versatile PCI Express Switch
 8533 PEX 8533 32-lane, 6-port PCI Express Switch
 8547 PEX 8547 48-lane, 3-port PCI Express Switch
 8548 PEX 8548 48-lane, 9-port PCI Express Switch
 8603 PEX 8603 3-lane, 3-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8604 PEX 8604 4-lane, 4-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8605 PEX 8605 PCI Express 4-port Gen2 Switch
 8606 PEX 8606 6 Lane, 6 Port PCI Express Gen 2 (5.0 GT/s) Switch
 8608 PEX 8608 8-lane, 8-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8609 PEX 8609 8-lane, 8-Port PCI Express Gen 2 (5.0 GT/s) Switch with DMA
 8612 PEX 8612 12-lane, 4-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8613 PEX 8613 12-lane, 3-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8614 PEX 8614 12-lane, 12-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8615 PEX 8615 12-lane, 12-Port PCI Express Gen 2 (5.0 GT/s) Switch with DMA
 8616 PEX 8616 16-lane, 4-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8617 PEX 8617 16-lane, 4-Port PCI Express Gen 2 (5.0 GT/s) Switch with P2P
 8618 PEX 8618 16-lane, 16-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8619 PEX 8619 16-lane, 16-Port PCI Express Gen 2 (5.0 GT/s) Switch with DMA
 8624 PEX 8624 24-lane, 6-Port PCI Express Gen 2 (5.0 GT/s) Switch [ExpressLane]
 8625 PEX 8625 24-lane, 24-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8632 PEX 8632 32-lane, 12-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8636 PEX 8636 36-lane, 24-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8647 PEX 8647 48-Lane, 3-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8648 PEX 8648 48-lane, 12-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8649 PEX 8649 48-lane, 12-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8664 PEX 8664 64-lane, 16-Port PCI Express Gen 2 (5.0 GT/s) Switch
 8680 PEX 8680 80-lane, 20-Port PCI Express Gen 2 (5.0 GT/s) Multi-Root Switch
 8696 PEX 8696 96-lane, 24-Port PCI Express Gen 2 (5.0 GT/s) Multi-Root Switch
 8717 PEX 8717 16-lane, 8-Port PCI Express Gen 3 (8.0 GT/s) Switch with DMA
 8718 PEX 8718 16-Lane, 5-Port PCI Express Gen 3 (8.0 GT/s) Switch
 8724 PEX 8724 24-Lane, 6-Port PCI Express Gen 3 (8 GT/s) Switch, 19 x 19mm FCBGA
 8725 PEX 8725 24-Lane, 10-Port PCI Express Gen 3 (8.0 GT/s) Multi-Root Switch with DMA
 8732 PEX 8732 32-lane, 8-Port PCI Express Gen 3 (8.0 GT/s) Switch
 8734 PEX 8734 32-lane, 8-Port PCI Express Gen 3 (8.0GT/s) Switch
 8747 PEX 8747 48-Lane, 5-Port PCI Express Gen 3 (8.0 GT/s) Switch
 8748 PEX 8748 48-Lane, 12-Port PCI Express Gen 3 (8 GT/s) Switch, 27 x 27mm FCBGA
 8749 PEX 8749 48-Lane, 18-Port PCI Express Gen 3 (8.0 GT/s) Multi-Root Switch with DMA
 87a0 PEX PCI Express Switch NT0 Port Link Interface
 87a1 PEX PCI Express Switch NT1 Port Link Interface
 87b0 PEX PCI Express Switch NT0 Port Virtual Interface
 87b1 PEX PCI Express Switch NT1 Port Virtual Interface
 87d0 PEX PCI Express Switch DMA interface
 9733 PEX 9733 33-lane, 9-port PCI Express Gen 3 (8.0 GT/s) Switch
 9749 PEX 9749 49-lane, 13-port PCI Express Gen 3 (8.0 GT/s) Switch
10b9 ULi Electronics Inc.
10de NVIDIA Corporation
 0fc0 GK107 [GeForce GT 640 OEM]
 0fc1 GK107 [GeForce GT 640]
 0fc2 GK107 [GeForce GT 630 OEM]
 0fc5 GK107 [GeForce GT 1030]
 0fc6 GK107 [GeForce GTX 650]
 0fc8 GK107 [GeForce GT 740]
 0fc9 GK107 [GeForce GT 730]
 0fcd GK107M [GeForce GT 755M]
 0fce GK107M [GeForce GT 640M LE]
 0fd1 GK107M [GeForce GT 650M]
 0fd2 GK107M [GeForce GT 640M]
 0fd3 GK107M [GeForce GT 640M LE]
 0fd4 GK107M [GeForce GTX 660M]
 0fd5 GK107M [GeForce GT 650M Mac Edition]
 0fd8 GK107M [GeForce GT 640M Mac Edition]
 0fd9 GK107M [GeForce GT 645M]
 0fdf GK107M [GeForce GT 740M]
 0fe0 GK107M [GeForce GTX 660M Mac Edition]
 0fe1 GK107M [GeForce GT 730M]
 0fe2 GK107M [GeForce GT 745M]
 0fe3 GK107M [GeForce GT 745M]
 0fe4 GK107M [GeForce GT 750M]
 0fe5 GK107 [GeForce K340 USM]
 0fe6 GK107 [GRID K1 NVS USM]
 0fe7 GK107GL [GRID K100 vGPU]
 0fe8 GK107M [N14P-GS]
 0fe9 GK107M [GeForce GT 750M Mac Edition]
 0fea GK107M [GeForce GT 755M Mac Edition]
 0fec GK107M [GeForce 710A]
 0fed GK107M [GeForce 820M]
 0fee GK107M [GeForce 810M]
 0fef GK107GL [GRID K340]
 0ff1 GK107 [NVS 1000]
 0ff2 GK107GL [GRID K1]
 0ff3 GK107GL [Quadro K420]
 0ff5 GK107GL [GRID K1 Tesla USM]
 0ff6 GK107GLM [Quadro K1100M]
 0ff7 GK107GL [GRID K140Q vGPU]
 0ff8 GK107GLM [Quadro K500M]
 0ff9 GK107GL [Quadro K2000D]
 0ffa GK107GL [Quadro K600]
 0ffb GK107GLM [Quadro K2000M]
 0ffc GK107GLM [Quadro K1000M]
 0ffd GK107 [NVS 510]
 0ffe GK107GL [Quadro K2000]
 0fff GK107GL [Quadro 410]
 1001 GK110B [GeForce GTX TITAN Z]
 1003 GK110 [GeForce GTX Titan LE]
 1004 GK110 [GeForce GTX 780]
 1005 GK110 [GeForce GTX TITAN]
 1007 GK110 [GeForce GTX 780 Rev. 2]
 1008 GK110 [GeForce GTX 780 Ti 6GB]
 100a GK110B [GeForce GTX 780 Ti]
 100c GK110B [GeForce GTX TITAN Black]
 101e GK110GL [Tesla K20X]
 101f GK110GL [Tesla K20]
 1020 GK110GL [Tesla K20X]
 1021 GK110GL [Tesla K20Xm]
 1022 GK110GL [Tesla K20c]
 1023 GK110BGL [Tesla K40m]
 1024 GK180GL [Tesla K40c]
 1026 GK110GL [Tesla K20s]
 1027 GK110BGL [Tesla K40st]
 1028 GK110GL [Tesla K20m]
 1029 GK110BGL [Tesla K40s]
 102a GK110BGL [Tesla K40t]
 102d GK210GL [Tesla K80]
 102e GK110BGL [Tesla K40d]
 102f GK110BGL [Tesla Stella Solo]
 103a GK110GL [Quadro K6000]
 103c GK110GL [Quadro K5200]
 103f GK110BGL [Tesla Stella SXM]
 10c0 GT218 [GeForce 9300 GS Rev. 2]
 10c3 GT218 [GeForce 8400 GS Rev. 3]
 10c5 GT218 [GeForce 405]
 10d8 GT218 [NVS 300]
 1180 GK104 [GeForce GTX 680]
 1182 GK104 [GeForce GTX 760 Ti]
 1183 GK104 [GeForce GTX 660 Ti]
 1184 GK104 [GeForce GTX 770]
 1185 GK104 [GeForce GTX 660 OEM]
 1186 GK104 [GeForce GTX 660 Ti]
 1187 GK104 [GeForce GTX 760]
 1188 GK104 [GeForce GTX 690]
 1189 GK104 [GeForce GTX 670]
 118a GK104GL [GRID K520]
 118b GK104GL [GRID K2 GeForce USM]
 118c GK104 [GRID K2 NVS USM]
 118d GK104GL [GRID K200 vGPU]
 118e GK104 [GeForce GTX 760 OEM]
 118f GK104GL [Tesla K10]
 1191 GK104 [GeForce GTX 760 Rev. 2]
 1193 GK104 [GeForce GTX 760 Ti OEM]
 1194 GK104GL [Tesla K8]
 1195 GK104 [GeForce GTX 660 Rev. 2]
 1198 GK104M [GeForce GTX 880M]
 1199 GK104M [GeForce GTX 870M]
 119a GK104M [GeForce GTX 860M]
 119d GK104M [GeForce GTX 775M Mac Edition]
 119e GK104M [GeForce GTX 780M Mac Edition]
 119f GK104M [GeForce GTX 780M]
 11a0 GK104M [GeForce GTX 680M]
 11a1 GK104M [GeForce GTX 670MX]
 11a2 GK104M [GeForce GTX 675MX Mac Edition]
 11a3 GK104M [GeForce GTX 680MX]
 11a7 GK104M [GeForce GTX 675MX]
 11a8 GK104GLM [Quadro K5100M]
 11a9 GK104M [GeForce GTX 870M]
 11af GK104GLM [GRID IceCube]
 11b0 GK104GL [GRID K240Q / K260Q vGPU]
 11b1 GK104GL [GRID K2 Tesla USM]
 11b4 GK104GL [Quadro K4200]
 11b6 GK104GLM [Quadro K3100M]
 11b7 GK104GLM [Quadro K4100M]
 11b8 GK104GLM [Quadro K5100M]
 11ba GK104GL [Quadro K5000]
 11bb GK104GL [Quadro 4100]
 11bc GK104GLM [Quadro K5000M]
 11bd GK104GLM [Quadro K4000M]
 11be GK104GLM [Quadro K3000M]
 11bf GK104GL [GRID K2]
 11c0 GK106 [GeForce GTX 660]
 11c2 GK106 [GeForce GTX 650 Ti Boost]
 11c3 GK106 [GeForce GTX 650 Ti OEM]
 11c4 GK106 [GeForce GTX 645 OEM]
 11c5 GK106 [GeForce GT 740]
 11c6 GK106 [GeForce GTX 650 Ti]
 11c7 GK106 [GeForce GTX 750 Ti]
 11c8 GK106 [GeForce GTX 650 OEM]
 11cb GK106 [GeForce GT 740]
 11e0 GK106M [GeForce GTX 770M]
 11e1 GK106M [GeForce GTX 765M]
 11e2 GK106M [GeForce GTX 765M]
 11e3 GK106M [GeForce GTX 760M]
 11fa GK106GL [Quadro K4000]
 11fc GK106GLM [Quadro K2100M]
 1280 GK208 [GeForce GT 635]
 1281 GK208 [GeForce GT 710]
 1282 GK208 [GeForce GT 640 Rev. 2]
 1284 GK208 [GeForce GT 630 Rev. 2]
 1286 GK208 [GeForce GT 720]
 1287 GK208B [GeForce GT 730]
 1288 GK208B [GeForce GT 720]
 1289 GK208 [GeForce GT 710]
 128b GK208B [GeForce GT 710]
 1290 GK208M [GeForce GT 730M]
 1291 GK208M [GeForce GT 735M]
 1292 GK208M [GeForce GT 740M]
 1293 GK208M [GeForce GT 730M]
 1294 GK208M [GeForce GT 740M]
 1295 GK208M [GeForce 710M]
 1296 GK208M [GeForce 825M]
 1298 GK208M [GeForce GT 720M]
 1299 GK208BM [GeForce 920M]
 129a GK208BM [GeForce 910M]
 12b9 GK208GLM [Quadro K610M]
 12ba GK208GLM [Quadro K510M]
 1340 GM108M [GeForce 830M]
 1341 GM108M [GeForce 840M]
 1344 GM108M [GeForce 845M]
 1346 GM108M [GeForce 930M]
 1347 GM108M [GeForce 940M]
 1348 GM108M [GeForce 945M / 945A]
 1349 GM108M [GeForce 930M]
 134b GM108M [GeForce 940MX]
 134d GM108M [GeForce 940MX]
 134e GM108M [GeForce 930MX]
 134f GM108M [GeForce 920MX]
 137a GM108GLM [Quadro K620M / Quadro M500M]
 137b GM108GLM [Quadro M520 Mobile]
 137d GM108M [GeForce 940A]
 1380 GM107 [GeForce GTX 750 Ti]
 1381 GM107 [GeForce GTX 750]
 1382 GM107 [GeForce GTX 745]
 1389 GM107GL [GRID M30]
 1390 GM107M [GeForce 845M]
 1391 GM107M [GeForce GTX 850M]
 1392 GM107M [GeForce GTX 860M]
 1393 GM107M [GeForce 840M]
 1398 GM107M [GeForce 845M]
 1399 GM107M [GeForce 945M]
 139a GM107M [GeForce GTX 950M]
 139b GM107M [GeForce GTX 960M]
 139c GM107M [GeForce 940M]
 139d GM107M [GeForce GTX 750 Ti]
 13b0 GM107GLM [Quadro M2000M]
 13b1 GM107GLM [Quadro M1000M]
 13b2 GM107GLM [Quadro M600M]
 13b3 GM107GLM [Quadro K2200M]
 13b4 GM107GLM [Quadro M620 Mobile]
 13b6 GM107GLM [Quadro M1200 Mobile]
 13b9 GM107GL [NVS 810]
 13ba GM107GL [Quadro K2200]
 13bb GM107GL [Quadro K620]
 13bc GM107GL [Quadro K1200]
 13bd GM107GL [Tesla M10]
 13c0 GM204 [GeForce GTX 980]
 13c2 GM204 [GeForce GTX 970]
 13d7 GM204M [GeForce GTX 980M]
 13d8 GM204M [GeForce GTX 960 OEM / 970M]
 13d9 GM204M [GeForce GTX 965M]
 13da GM204M [GeForce GTX 980 Mobile]
 13e7 GM204GL [GeForce GTX 980 Engineering Sample]
 13f0 GM204GL [Quadro M5000]
 13f1 GM204GL [Quadro M4000]
 13f2 GM204GL [Tesla M60]
 13f3 GM204GL [Tesla M6]
 13f8 GM204GLM [Quadro M5000M / M5000 SE]
 13f9 GM204GLM [Quadro M4000M]
 13fa GM204GLM [Quadro M3000M]
 13fb GM204GLM [Quadro M5500]
 1401 GM206 [GeForce GTX 960]
 1402 GM206 [GeForce GTX 950]
 1404 GM206 [GeForce GTX 960 FAKE]
 1406 GM206 [GeForce GTX 960 OEM]
 1407 GM206 [GeForce GTX 750 v2]
 1427 GM206M [GeForce GTX 965M]
 1430 GM206GL [Quadro M2000]
 1431 GM206GL [Tesla M4]
 1436 GM206GLM [Quadro M2200 Mobile]
 15f0 GP100GL [Quadro GP100]
 15f7 GP100GL [Tesla P100 PCIe 12GB]
 15f8 GP100GL [Tesla P100 PCIe 16GB]
 15f9 GP100GL [Tesla P100 SXM2 16GB]
 1617 GM204M [GeForce GTX 980M]
 1618 GM204M [GeForce GTX 970M]
 1619 GM204M [GeForce GTX 965M]
 161a GM204M [GeForce GTX 980 Mobile]
 1667 GM204M [GeForce GTX 965M]
 174d GM108M [GeForce MX130]
 174e GM108M [GeForce MX110]
 1789 GM107GL [GRID M3-3020]
 179c GM107 [GeForce 940MX]
 17c2 GM200 [GeForce GTX TITAN X]
 17c8 GM200 [GeForce GTX 980 Ti]
 17f0 GM200GL [Quadro M6000]
 17f1 GM200GL [Quadro M6000 24GB]
 17fd GM200GL [Tesla M40]
 1ad0 Tegra PCIe x8 Endpoint
 1ad1 Tegra PCIe x4/x8 Endpoint/Root Complex
 1ad2 Tegra PCIe x1 Root Complex
 1af1 GA100 [A100 NVSwitch]
 1b00 GP102 [TITAN X]
 1b01 GP102 [GeForce GTX 1080 Ti 10GB]
 1b02 GP102 [TITAN Xp]
 1b06 GP102 [GeForce GTX 1080 Ti]
 1b07 GP102 [P102-100]
 1b30 GP102GL [Quadro P6000]
 1b38 GP102GL [Tesla P40]
 1b39 GP102GL [Tesla P10]
 1b80 GP104 [GeForce GTX 1080]
 1b81 GP104 [GeForce GTX 1070]
 1b82 GP104 [GeForce GTX 1070 Ti]
 1b83 GP104 [GeForce GTX 1060 6GB]
 1b84 GP104 [GeForce GTX 1060 3GB]
 1b87 GP104 [P104-100]
 1ba0 GP104M [GeForce GTX 1080 Mobile]
 1ba1 GP104M [GeForce GTX 1070 Mobile]
 1ba2 GP104M [GeForce GTX 1070 Mobile]
 1bad GP104 [GeForce GTX 1070 Engineering Sample]
 1bb0 GP104GL [Quadro P5000]
 1bb1 GP104GL [Quadro P4000]
 1bb3 GP104GL [Tesla P4]
 1bb4 GP104GL [Tesla P6]
 1bb5 GP104GLM [Quadro P5200 Mobile]
 1bb6 GP104GLM [Quadro P5000 Mobile]
 1bb7 GP104GLM [Quadro P4000 Mobile]
 1bb8 GP104GLM [Quadro P3000 Mobile]
 1bb9 GP104GLM [Quadro P4200 Mobile]
 1bbb GP104GLM [Quadro P3200 Mobile]
 1bc7 GP104 [P104-101]
 1be0 GP104BM [GeForce GTX 1080 Mobile]
 1be1 GP104BM [GeForce GTX 1070 Mobile]
 1c02 GP106 [GeForce GTX 1060 3GB]
 1c03 GP106 [GeForce GTX 1060 6GB]
 1c04 GP106 [GeForce GTX 1060 5GB]
 1c06 GP106 [GeForce GTX 1060 6GB Rev. 2]
 1c07 GP106 [P106-100]
 1c09 GP106 [P106-090]
 1c20 GP106M [GeForce GTX 1060 Mobile]
 1c21 GP106M [GeForce GTX 1050 Ti Mobile]
 1c22 GP106M [GeForce GTX 1050 Mobile]
 1c23 GP106M [GeForce GTX 1060 Mobile Rev. 2]
 1c30 GP106GL [Quadro P2000]
 1c31 GP106GL [Quadro P2200]
 1c35 GP106M [Quadro P2000 Mobile]
 1c36 GP106 [P106M]
 1c60 GP106BM [GeForce GTX 1060 Mobile 6GB]
 1c61 GP106BM [GeForce GTX 1050 Ti Mobile]
 1c62 GP106BM [GeForce GTX 1050 Mobile]
 1c81 GP107 [GeForce GTX 1050]
 1c82 GP107 [GeForce GTX 1050 Ti]
 1c83 GP107 [GeForce GTX 1050 3GB]
 1c8c GP107M [GeForce GTX 1050 Ti Mobile]
 1c8d GP107M [GeForce GTX 1050 Mobile]
 1c8f GP107M [GeForce GTX 1050 Ti Max-Q]
 1c90 GP107M [GeForce MX150]
 1c91 GP107M [GeForce GTX 1050 3 GB Max-Q]
 1c92 GP107M [GeForce GTX 1050 Mobile]
 1c94 GP107M [GeForce MX350]
 1c96 GP107M [GeForce MX350]
 1cb1 GP107GL [Quadro P1000]
 1cb2 GP107GL [Quadro P600]
 1cb3 GP107GL [Quadro P400]
 1cb6 GP107GL [Quadro P620]
 1cba GP107GLM [Quadro P2000 Mobile]
 1cbb GP107GLM [Quadro P1000 Mobile]
 1cbc GP107GLM [Quadro P600 Mobile]
 1cbd GP107GLM [Quadro P620]
 1ccc GP107BM [GeForce GTX 1050 Ti Mobile]
 1ccd GP107BM [GeForce GTX 1050 Mobile]
 1cfa GP107GL [Quadro P2000]
 1cfb GP107GL [Quadro P1000]
 1d01 GP108 [GeForce GT 1030]
 1d02 GP108 [GeForce GT 1010]
 1d10 GP108M [GeForce MX150]
 1d11 GP108M [GeForce MX230]
 1d12 GP108M [GeForce MX150]
 1d13 GP108M [GeForce MX250]
 1d16 GP108M [GeForce MX330]
 1d33 GP108GLM [Quadro P500 Mobile]
 1d34 GP108GLM [Quadro P520]
 1d52 GP108BM [GeForce MX250]
 1d56 GP108BM [GeForce MX330]
 1d81 GV100 [TITAN V]
 1db1 GV100GL [Tesla V100 SXM2 16GB]
 1db2 GV100GL [Tesla V100 DGXS 16GB]
 1db3 GV100GL [Tesla V100 FHHL 16GB]
 1db4 GV100GL [Tesla V100 PCIe 16GB]
 1db5 GV100GL [Tesla V100 SXM2 32GB]
 1db6 GV100GL [Tesla V100 PCIe 32GB]
 1db7 GV100GL [Tesla V100 DGXS 32GB]
 1db8 GV100GL [Tesla V100 SXM3 32GB]
 1dba GV100GL [Quadro GV100]
 1dbe GV100 Engineering Sample
 1df0 GV100GL [Tesla PG500-216]
 1df2 GV100GL [Tesla PG503-216]
 1df5 GV100GL [Tesla V100 SXM2 16GB]
 1df6 GV100GL [Tesla V100S PCIe 32GB]
 1e02 TU102 [TITAN RTX]
 1e03 TU102 [GeForce RTX 2080 Ti 12GB]
 1e04 TU102 [GeForce RTX 2080 Ti]
 1e07 TU102 [GeForce RTX 2080 Ti Rev. A]
 1e09 TU102 [CMP 50HX]
 1e2d TU102 [GeForce RTX 2080 Ti Engineering Sample]
 1e2e TU102 [GeForce RTX 2080 Ti 12GB Engineering Sample]
 1e30 TU102GL [Quadro RTX 6000/8000]
 1e36 TU102GL [Quadro RTX 6000]
 1e37 TU102GL [Tesla T10 16GB / GRID RTX T10-2/T10-4/T10-8]
 1e38 TU102GL [Tesla T40 24GB]
 1e3c TU102GL
 1e3d TU102GL
 1e3e TU102GL
 1e78 TU102GL [Quadro RTX 6000/8000]
 1e81 TU104 [GeForce RTX 2080 SUPER]
 1e82 TU104 [GeForce RTX 2080]
 1e84 TU104 [GeForce RTX 2070 SUPER]
 1e87 TU104 [GeForce RTX 2080 Rev. A]
 1e89 TU104 [GeForce RTX 2060]
 1e90 TU104M [GeForce RTX 2080 Mobile]
 1e91 TU104M [GeForce RTX 2070 SUPER Mobile / Max-Q]
 1e93 TU104M [GeForce RTX 2080 SUPER Mobile / Max-Q]
 1eab TU104M
 1eae TU104M [GeForce GTX 2080 Engineering Sample]
 1eb0 TU104GL [Quadro RTX 5000]
 1eb1 TU104GL [Quadro RTX 4000]
 1eb4 TU104GL [T4G]
 1eb5 TU104GLM [Quadro RTX 5000 Mobile / Max-Q]
 1eb6 TU104GLM [Quadro RTX 4000 Mobile / Max-Q]
 1eb8 TU104GL [Tesla T4]
 1eb9 TU104GL
 1eba TU104GL [PG189 SKU600]
 1ebe TU104GL
 1ec2 TU104 [GeForce RTX 2070 SUPER]
 1ec7 TU104 [GeForce RTX 2070 SUPER]
 1ed0 TU104BM [GeForce RTX 2080 Mobile]
 1ed1 TU104BM [GeForce RTX 2070 SUPER Mobile / Max-Q]
 1ed3 TU104BM [GeForce RTX 2080 SUPER Mobile / Max-Q]
 1ef5 TU104GLM [Quadro RTX 5000 Mobile Refresh]
 1f02 TU106 [GeForce RTX 2070]
 1f03 TU106 [GeForce RTX 2060 12GB]
 1f04 TU106
 1f06 TU106 [GeForce RTX 2060 SUPER]
 1f07 TU106 [GeForce RTX 2070 Rev. A]
 1f08 TU106 [GeForce RTX 2060 Rev. A]
 1f09 TU106 [GeForce GTX 1660 SUPER]
 1f0a TU106 [GeForce GTX 1650]
 1f0b TU106 [CMP 40HX]
 1f10 TU106M [GeForce RTX 2070 Mobile]
 1f11 TU106M [GeForce RTX 2060 Mobile]
 1f12 TU106M [GeForce RTX 2060 Max-Q]
 1f14 TU106M [GeForce RTX 2070 Mobile / Max-Q Refresh]
 1f15 TU106M [GeForce RTX 2060 Mobile]
 1f2e TU106M
 1f36 TU106GLM [Quadro RTX 3000 Mobile / Max-Q]
 1f42 TU106 [GeForce RTX 2060 SUPER]
 1f47 TU106 [GeForce RTX 2060 SUPER]
 1f50 TU106BM [GeForce RTX 2070 Mobile / Max-Q]
 1f51 TU106BM [GeForce RTX 2060 Mobile]
 1f54 TU106BM [GeForce RTX 2070 Mobile]
 1f55 TU106BM [GeForce RTX 2060 Mobile]
 1f76 TU106GLM [Quadro RTX 3000 Mobile Refresh]
 1f81 TU117
 1f82 TU117 [GeForce GTX 1650]
 1f83 TU117 [GeForce GTX 1630]
 1f91 TU117M [GeForce GTX 1650 Mobile / Max-Q]
 1f92 TU117M [GeForce GTX 1650 Mobile]
 1f94 TU117M [GeForce GTX 1650 Mobile]
 1f95 TU117M [GeForce GTX 1650 Ti Mobile]
 1f96 TU117M [GeForce GTX 1650 Mobile / Max-Q]
 1f97 TU117M [GeForce MX450]
 1f98 TU117M [GeForce MX450]
 1f99 TU117M
 1f9c TU117M [GeForce MX450]
 1f9d TU117M [GeForce GTX 1650 Mobile / Max-Q]
 1f9f TU117M [GeForce MX550]
 1fa0 TU117M [GeForce MX550]
 1fa1 TU117M
 1fae TU117GL
 1fb0 TU117GLM [Quadro T1000 Mobile]
 1fb1 TU117GL [T600]
 1fb2 TU117GLM [Quadro T400 Mobile]
 1fb6 TU117GLM [T600 Laptop GPU]
 1fb7 TU117GLM [T550 Laptop GPU]
 1fb8 TU117GLM [Quadro T2000 Mobile / Max-Q]
 1fb9 TU117GLM [Quadro T1000 Mobile]
 1fba TU117GLM [T600 Mobile]
 1fbb TU117GLM [Quadro T500 Mobile]
 1fbc TU117GLM [T1200 Laptop GPU]
 1fbf TU117GL
 1fd9 TU117BM [GeForce GTX 1650 Mobile Refresh]
 1fdd TU117BM [GeForce GTX 1650 Mobile Refresh]
 1ff0 TU117GL [T1000 8GB]
 1ff2 TU117GL [T400 4GB]
 1ff9 TU117GLM [Quadro T1000 Mobile]
 2082 GA100 [CMP 170HX]
 20b0 GA100 [A100 SXM4 40GB]
 20b1 GA100 [A100 PCIe 40GB]
 20b2 GA100 [A100 SXM4 80GB]
 20b3 GA100 [A100-SXM-64GB]
 20b5 GA100 [A100 PCIe 80GB]
 20b6 GA100GL [PG506-232]
 20b7 GA100GL [A30 PCIe]
 20b8 GA100 [A100X]
 20b9 GA100 [A30X]
 20bb GA100 [DRIVE A100 PROD]
 20be GA100 [GRID A100A]
 20bf GA100 [GRID A100B]
 20c2 GA100 [CMP 170HX]
 20f0 GA100 [A100-PG506-207]
 20f1 GA100 [A100 PCIe 40GB]
 20f2 GA100 [A100-PG506-217]
 20f3 GA100 [A800-SXM4-80GB]
 20f5 GA100 [A800 80GB PCIe]
 20f6 GA100 [A800 40GB PCIe]
 20fd GA100 [A100T]
 2182 TU116 [GeForce GTX 1660 Ti]
 2183 TU116
 2184 TU116 [GeForce GTX 1660]
 2187 TU116 [GeForce GTX 1650 SUPER]
 2188 TU116 [GeForce GTX 1650]
 2189 TU116 [CMP 30HX]
 2191 TU116M [GeForce GTX 1660 Ti Mobile]
 2192 TU116M [GeForce GTX 1650 Ti Mobile]
 21ae TU116GL
 21bf TU116GL
 21c2 TU116
 21c4 TU116 [GeForce GTX 1660 SUPER]
 21d1 TU116BM [GeForce GTX 1660 Ti Mobile]
 2203 GA102 [GeForce RTX 3090 Ti]
 2204 GA102 [GeForce RTX 3090]
 2205 GA102 [GeForce RTX 3080 Ti 20GB]
 2206 GA102 [GeForce RTX 3080]
 2207 GA102 [GeForce RTX 3070 Ti]
 2208 GA102 [GeForce RTX 3080 Ti]
 220a GA102 [GeForce RTX 3080 12GB]
 220d GA102 [CMP 90HX]
 2216 GA102 [GeForce RTX 3080 Lite Hash Rate]
 222b GA102 [GeForce RTX 3090 Engineering Sample]
 222f GA102 [GeForce RTX 3080 11GB / 12GB Engineering Sample]
 2230 GA102GL [RTX A6000]
 2231 GA102GL [RTX A5000]
 2232 GA102GL [RTX A4500]
 2233 GA102GL [RTX A5500]
 2235 GA102GL [A40]
 2236 GA102GL [A10]
 2237 GA102GL [A10G]
 2238 GA102GL [A10M]
 2296 Tegra PCIe Endpoint Virtual Network
 22b1 Grace PCIe Root Port
 2313 GH100 [H100 CNX]
 2322 GH100 [H800 PCIe]
 2324 GH100 [H800]
 2330 GH100[H100 SXM5 80GB]
 2331 GH100 [H100 PCIe]
 2336 GH100 [H100]
 2339 GH100 [H100]
 2414 GA103 [GeForce RTX 3060 Ti]
 2420 GA103M [GeForce RTX 3080 Ti Mobile]
 2438 GA103GLM [RTX A5500 Laptop GPU]
 2460 GA103M [GeForce RTX 3080 Ti Laptop GPU]
 2482 GA104 [GeForce RTX 3070 Ti]
 2484 GA104 [GeForce RTX 3070]
 2486 GA104 [GeForce RTX 3060 Ti]
 2487 GA104 [GeForce RTX 3060]
 2488 GA104 [GeForce RTX 3070 Lite Hash Rate]
 2489 GA104 [GeForce RTX 3060 Ti Lite Hash Rate]
 248a GA104 [CMP 70HX]
 249c GA104M [GeForce RTX 3080 Mobile / Max-Q 8GB/16GB]
 249d GA104M [GeForce RTX 3070 Mobile / Max-Q]
 24a0 GA104 [Geforce RTX 3070 Ti Laptop GPU]
 24ac GA104 [GeForce RTX 30x0 Engineering Sample]
 24ad GA104 [GeForce RTX 3060 Engineering Sample]
 24af GA104 [GeForce RTX 3070 Engineering Sample]
 24b0 GA104GL [RTX A4000]
 24b1 GA104GL [RTX A4000H]
 24b6 GA104GLM [RTX A5000 Mobile]
 24b7 GA104GLM [RTX A4000 Mobile]
 24b8 GA104GLM [RTX A3000 Mobile]
 24b9 GA104GLM [RTX A3000 12GB Laptop GPU]
 24ba GA104GLM [RTX A4500 Laptop GPU]
 24bb GA104GLM [RTX A3000 Laptop GPU]
 24bf GA104 [GeForce RTX 3070 Engineering Sample]
 24c7 GA104 [GeForce RTX 3060 GDDR6X]
 24c8 GA104 [GeForce RTX 3070 GDDR6X]
 24c9 GA104 [GeForce RTX 3060 Ti GDDR6X]
 24dc GA104M [GeForce RTX 3080 Mobile / Max-Q 8GB/16GB]
 24dd GA104M [GeForce RTX 3070 Mobile / Max-Q]
 24e0 GA104M [Geforce RTX 3070 Ti Laptop GPU]
 24fa GA104 [RTX A4500 Embedded GPU ]
 2501 GA106 [GeForce RTX 3060]
 2503 GA106 [GeForce RTX 3060]
 2504 GA106 [GeForce RTX 3060 Lite Hash Rate]
 2507 GA106 [Geforce RTX 3050]
 2508 GA106 [GeForce RTX 3050 OEM]
 2509 GA106 [GeForce RTX 3060 12GB Rev. 2]
 2520 GA106M [GeForce RTX 3060 Mobile / Max-Q]
 2521 GA106M [GeForce RTX 3060 Laptop GPU]
 2523 GA106M [GeForce RTX 3050 Ti Mobile / Max-Q]
 252f GA106 [GeForce RTX 3060 Engineering Sample]
 2531 GA106 [RTX A2000]
 2544 GA106 [GeForce RTX 3060]
 2560 GA106M [GeForce RTX 3060 Mobile / Max-Q]
 2561 GA106M [GeForce RTX 3060 Laptop GPU]
 2563 GA106M [GeForce RTX 3050 Ti Mobile / Max-Q]
 2571 GA106 [RTX A2000 12GB]
 2582 GA107 [GeForce RTX 3050 8GB]
 2583 GA107 [GeForce RTX 3050 4GB]
 25a0 GA107M [GeForce RTX 3050 Ti Mobile]
 25a2 GA107M [GeForce RTX 3050 Mobile]
 25a5 GA107M [GeForce RTX 3050 Mobile]
 25a6 GA107M [GeForce MX570]
 25a7 GA107M [GeForce MX570]
 25a9 GA107M [GeForce RTX 2050]
 25aa GA107M [GeForce MX570 A]
 25ab GA107M [GeForce RTX 3050 4GB Laptop GPU]
 25ac GN20-P0-R-K2 [GeForce RTX 3050 6GB Laptop GPU]
 25ad GA107 [GeForce RTX 2050]
 25af GA107 [GeForce RTX 3050 Engineering Sample]
 25b5 GA107GLM [RTX A4 Mobile]
 25b6 GA107GL [A2 / A16]
 25b8 GA107GLM [RTX A2000 Mobile]
 25b9 GA107GLM [RTX A1000 Laptop GPU]
 25ba GA107GLM [RTX A2000 8GB Laptop GPU]
 25bb GA107GLM [RTX A500 Laptop GPU]
 25bc GA107GLM [RTX A1000 6GB Laptop GPU]
 25bd GA107GLM [RTX A500 Laptop GPU]
 25e0 GA107BM [GeForce RTX 3050 Ti Mobile]
 25e2 GA107BM [GeForce RTX 3050 Mobile]
 25e5 GA107BM [GeForce RTX 3050 Mobile]
 25ec GN20-P0-R-K2 [GeForce RTX 3050 6GB Laptop GPU]
 25ed GA107 [GeForce RTX 2050]
 25f9 GA107 [RTX A1000 Embedded GPU ]
 25fa GA107 [RTX A2000 Embedded GPU]
 25fb GA107 [RTX A500 Embedded GPU]
 2681 AD102 [RTX TITAN Ada]
 2684 AD102 [GeForce RTX 4090]
 2685 AD102 [GeForce RTX 4090 D]
 2689 AD102 [GeForce RTX 4070 Ti SUPER]
 26b1 AD102GL [L6000 / RTX 6000 Ada Generation]
 26b3 AD102GL [RTX 5880 Ada Generation]
 26b5 AD102GL [L40]
 26b7 AD102GL [L20]
 26b8 AD102GL [L40G]
 26ba AD102GL [L20]
 26bb AD102GL [L30]
 26f5 AD102GL [L40 CNX]
 2702 AD103 [GeForce RTX 4080 SUPER]
 2703 AD103 [GeForce RTX 4080 SUPER]
 2704 AD103 [GeForce RTX 4080]
 2705 AD103 [GeForce RTX 4070 Ti SUPER]
 2709 AD103 [GeForce RTX 4070]
 2717 GN21-X11 [GeForce RTX 4090 Laptop GPU]
 2730 AD103GLM [RTX 5000 Ada Generation Laptop GPU]
 2757 GN21-X11
 2782 AD104 [GeForce RTX 4070 Ti]
 2783 AD104 [GeForce RTX 4070 SUPER]
 2785 AD104
 2786 AD104 [GeForce RTX 4070]
 2788 AD104 [GeForce RTX 4060 Ti]
 27a0 AD104M [GeForce RTX 4080 Max-Q / Mobile]
 27b0 AD104GL [RTX 4000 SFF Ada Generation]
 27b1 AD104GL [RTX 4500 Ada Generation]
 27b2 AD104GL [RTX 4000 Ada Generation]
 27b6 AD104GL [L2]
 27b7 AD104GL [L16]
 27b8 AD104GL [L4]
 27ba AD104GLM [RTX 4000 Ada Generation Laptop GPU]
 27bb AD104GLM [RTX 3500 Ada Generation Laptop GPU]
 27e0 AD104M [GeForce RTX 4080 Max-Q / Mobile]
 2803 AD106 [GeForce RTX 4060 Ti]
 2805 AD106 [GeForce RTX 4060 Ti 16GB]
 2808 AD106 [GeForce RTX 4060]
 2820 AD106M [GeForce RTX 4070 Max-Q / Mobile]
 2838 AD106GLM [RTX 3000 Ada Generation Laptop GPU]
 2860 AD106M [GeForce RTX 4070 Max-Q / Mobile]
 2882 AD107 [GeForce RTX 4060]
 28a0 AD107M [GeForce RTX 4060 Max-Q / Mobile]
 28a1 AD107M [GeForce RTX 4050 Max-Q / Mobile]
 28b0 AD107GL [RTX 2000 / 2000E Ada Generation]
 28b8 AD107GLM [RTX 2000 Ada Generation Laptop GPU]
 28e0 AD107M [GeForce RTX 4060 Max-Q / Mobile]
 28e1 AD107M [GeForce RTX 4050 Max-Q / Mobile]
 2901 GB100 [B200]
 2941 GB100 [HGX GB200]
 29bc GB102 [B100]
 2b00 GB10B [Jetson AGX Thor]
 2b85 GB202 [GeForce RTX 5090]
 2b87 GB202 [GeForce RTX 5090 D]
 2bb1 GB202GL [RTX PRO 6000 Blackwell Workstation Edition]
 2bb3 GB202GL [RTX PRO 5000 Blackwell / RTX PRO 5000 72GB Blackwell]
 2bb4 GB202GL [RTX PRO 6000 Blackwell Max-Q Workstation Edition]
 2bb5 GB202GL [RTX PRO 6000 Blackwell Server Edition]
 2c02 GB203 [GeForce RTX 5080]
 2c05 GB203 [GeForce RTX 5070 Ti]
 2c31 GB203GL [RTX PRO 4500 Blackwell]
 2c34 GB203GL [RTX PRO 4000 Blackwell]
 2d04 GB206 [GeForce RTX 5060 Ti]
 2d05 GB206 [GeForce RTX 5060]
 2d30 GB206GL [RTX PRO 2000 Blackwell]
 2d83 GB207 [GeForce RTX 5050]
 2e12 GB20B [GB10]
 2f04 GB205 [GeForce RTX 5070]
 3182 GB110 [B300 SXM6 AC]
 31c2 GB110 [GB300]
10e8 Applied Micro Circuits Corp.
10ee Xilinx Corporation
 0001 EUROCOM for PCI (ECOMP)
 0002 Octal E1/T1 for PCI ETP Card
 0007 Default PCIe endpoint ID
 0205 Wildcard TE205P
 0210 Wildcard TE210P
 0300 Spartan 3 Designs (Xilinx IP)
 0314 Wildcard TE405P/TE410P (1st Gen)
 0405 Wildcard TE405P (2nd Gen)
 0410 Wildcard TE410P (2nd Gen)
 0600 Xilinx 6 Designs (Xilinx IP)
 3fc0 RME Digi96
 3fc1 RME Digi96/8
 3fc2 RME Digi96/8 Pro
 3fc3 RME Digi96/8 Pad
 3fc4 RME Digi9652 (Hammerfall)
 3fc5 RME Hammerfall DSP
 3fc6 RME Hammerfall DSP MADI
 5000 Alveo U200 XDMA Platform
 5004 Alveo U250 XDMA Platform
 5005 Alveo U250
 500c Alveo U280 XDMA Platform
 5020 Alveo U50 XMDA Platform
 505c Alveo U55C
 6987 SmartSSD
 6988 SmartSSD
 7011 7-Series FPGA Hard PCIe block (AXI/debug)
 7038 FPGA Card XC7VX690T
 8019 Memory controller
 8380 Ellips ProfiXpress Profibus Master
 8381 Ellips Santos Frame Grabber
 9134 SmartSSD
 9234 SmartSSD
 9434 SmartSSD
 d000 Alveo U200 Golden Image
 d004 Alveo U250 Golden Image
 d00c Alveo U280 Golden Image
 d020 Alveo U50 Golden Image
 d154 Copley Controls CAN card (PCI-CAN-02)
 ebf0 SED Systems Modulator/Demodulator
 ebf1 SED Systems Audio Interface Card
 ebf2 SED Systems Common PCI Interface
 ebf3 SED Systems PCIe-AXI Bridge
1106 VIA Technologies, Inc.
1166 Broadcom
1172 Altera Corporation
11aa Actel
11ab Marvell Technology Group Ltd.
11f8 PMC-Sierra Inc.
 5220 BR522x [PMC-Sierra maxRAID SAS Controller]
 7364 PM7364 [FREEDM - 32 Frame Engine & Datalink Mgr]
 7375 PM7375 [LASAR-155 ATM SAR]
 7384 PM7384 [FREEDM - 84P672 Frm Engine & Datalink Mgr]
 8000 PM8000  [SPC - SAS Protocol Controller]
 8009 PM8009 SPCve 8x6G
 8018 PM8018 Adaptec SAS Adaptor ASA-70165H PCIe Gen3 x8 6 Gbps 16-lane 4x SFF-8644
 8032 PM8032 Tachyon QE8
 8053 PM8053 SXP 12G 24-port SAS/SATA expander
 8054 PM8054 SXP 12G 36-port SAS/SATA expander
 8055 PM8055 SXP 12G 48-port SAS/SATA expander
 8056 PM8056 SXP 12G 68-port SAS/SATA expander
 8060 PM8060 SRCv 12G eight-port SAS/SATA RoC
 8063 PM8063 SRCv 12G 16-port SAS/SATA RoC
 8070 PM8070 Tachyon SPCv 12G eight-port SAS/SATA controller
 8071 PM8071 Tachyon SPCve 12G eight-port SAS/SATA controller
 8072 PM8072 Tachyon SPCv 12G 16-port SAS/SATA controller
 8073 PM8073 Tachyon SPCve 12G 16-port SAS/SATA controller
 8531 PM8531 PFX 24xG3 PCIe Fanout Switch
 8532 PM8532 PFX 32xG3 PCIe Fanout Switch
 8533 PM8533 PFX 48xG3 PCIe Fanout Switch
 8534 PM8534 PFX 64xG3 PCIe Fanout Switch
 8535 PM8535 PFX 80xG3 PCIe Fanout Switch
 8536 PM8536 PFX 96xG3 PCIe Fanout Switch
 8546 PM8546 B-FEIP PSX 96xG3 PCIe Storage Switch
 8562 PM8562 Switchtec PFX-L 32xG3 Fanout-Lite PCIe Gen3 Switch
12d8 Pericom Semiconductor
 0303 PCI Express Switch 3-3
 0508 PI7C9X20508GP PCI Express Switch 5Port-8Lane
 2304 PI7C9X2G304 EL/SL PCIe2 3-Port/4-Lane Packet Switch
 2308 PI7C9X2G308GP 8-lane PCI Express 2.0 Switch with 3 PCI Express ports
 2404 PI7C9X2G404 EL/SL PCIe2 4-Port/4-Lane Packet Switch
 2608 PI7C9X2G608GP PCIe2 6-Port/8-Lane Packet Switch
 400a PI7C9X442SL PCI Express Bridge Port
 8619 PI7C9X2G1616PR PCIe2 16-Port/16-Lane Packet Switch
 e110 PI7C9X110 PCI Express to PCI bridge
 e111 PI7C9X111SL PCIe-to-PCI Reversible Bridge
 e130 PCI Express to PCI-XPI7C9X130 PCI-X Bridge
13b5 ARM
1414 Microsoft Corporation
 0001 MN-120 (ADMtek Centaur-C based)
 0002 MN-130 (ADMtek Centaur-P based)
 008c Basic Render Driver
 008e Basic Render Driver
 5353 Hyper-V virtual VGA
 5801 XMA Decoder (Xenon)
 5802 SATA Controller - CdRom (Xenon)
 5803 SATA Controller - Disk (Xenon)
 5804 OHCI Controller 0 (Xenon)
 5805 EHCI Controller 0 (Xenon)
 5806 OHCI Controller 1 (Xenon)
 5807 EHCI Controller 1 (Xenon)
 580a Fast Ethernet Adapter (Xenon)
 580b Secure Flash Controller (Xenon)
 580d System Management Controller (Xenon)
 5811 Xenos GPU (Xenon)
144d Samsung Electronics Co Ltd
14c3 MEDIATEK Corp.
14e4 Broadcom Inc. and subsidiaries
 1600 NetXtreme BCM5752 Gigabit Ethernet PCI Express
 1601 NetXtreme BCM5752M Gigabit Ethernet PCI Express
 1604 BCM5745X NetXtreme-E Ethernet Partition
 1605 BCM5745X NetXtreme-E RDMA Partition
 1606 BCM5745X NetXtreme-E RDMA Virtual Function
 1609 BCM5745X NetXtreme-E Ethernet Virtual Function
 1614 BCM57454 NetXtreme-E 10Gb/25Gb/40Gb/50Gb/100Gb Ethernet
 163d NetXtreme II BCM57811 10-Gigabit Ethernet
 163e NetXtreme II BCM57811 10 Gigabit Ethernet Multi Function
 163f NetXtreme II BCM57811 10-Gigabit Ethernet Virtual Function
 1641 NetXtreme BCM57787 Gigabit Ethernet PCIe
 1642 NetXtreme BCM57764 Gigabit Ethernet PCIe
 164e NetXtreme II BCM57710 10-Gigabit PCIe [Everest]
 164f NetXtreme II BCM57711 10-Gigabit PCIe
 1650 NetXtreme II BCM57711E 10-Gigabit PCIe
 1662 NetXtreme II BCM57712 10 Gigabit Ethernet
 1663 NetXtreme II BCM57712 10 Gigabit Ethernet Multi Function
 166a NetXtreme BCM5780 Gigabit Ethernet
 166b NetXtreme BCM5780S Gigabit Ethernet
 166f NetXtreme II BCM57712 10 Gigabit Ethernet Virtual Function
 1672 NetXtreme BCM5754M Gigabit Ethernet PCI Express
 1673 NetXtreme BCM5755M Gigabit Ethernet PCI Express
 1674 NetXtreme BCM5756ME Gigabit Ethernet PCI Express
 1677 NetXtreme BCM5751 Gigabit Ethernet PCI Express
 167a NetXtreme BCM5754 Gigabit Ethernet PCI Express
 167b NetXtreme BCM5755 Gigabit Ethernet PCI Express
 167d NetXtreme BCM5751M Gigabit Ethernet PCI Express
 167e NetXtreme BCM5751F Fast Ethernet PCI Express
 167f NetLink BCM5787F Fast Ethernet PCI Express
 1680 NetXtreme BCM5761e Gigabit Ethernet PCIe
 1681 NetXtreme BCM5761 Gigabit Ethernet PCIe
 1682 NetXtreme BCM57762 Gigabit Ethernet PCIe
 1683 NetXtreme BCM57767 Gigabit Ethernet PCIe
 1684 NetXtreme BCM5764M Gigabit Ethernet PCIe
 1685 NetXtreme II BCM57500S Gigabit Ethernet
 1686 NetXtreme BCM57766 Gigabit Ethernet PCIe
 1687 NetXtreme BCM5762 Gigabit Ethernet PCIe
 1688 NetXtreme BCM5761 10/100/1000BASE-T Ethernet
 168a NetXtreme II BCM57800 1/10 Gigabit Ethernet
 168d NetXtreme II BCM57840 10/20 Gigabit Ethernet
 168e NetXtreme II BCM57810 10 Gigabit Ethernet
 1690 NetXtreme BCM57760 Gigabit Ethernet PCIe
 1691 NetLink BCM57788 Gigabit Ethernet PCIe
 1692 NetLink BCM57780 Gigabit Ethernet PCIe
 1693 NetLink BCM5787M Gigabit Ethernet PCI Express
 1694 NetLink BCM57790 Gigabit Ethernet PCIe
 1696 NetXtreme BCM5782 Gigabit Ethernet
 1698 NetLink BCM5784M Gigabit Ethernet PCIe
 1699 NetLink BCM5785 Gigabit Ethernet
 169a NetLink BCM5786 Gigabit Ethernet PCI Express
 169b NetLink BCM5787 Gigabit Ethernet PCI Express
 169c NetXtreme BCM5788 Gigabit Ethernet
 169d NetLink BCM5789 Gigabit Ethernet PCI Express
 16a0 NetLink BCM5785 Fast Ethernet
 16a1 BCM57840 NetXtreme II 10 Gigabit Ethernet
 16a2 BCM57840 NetXtreme II 10/20-Gigabit Ethernet
 16a3 NetXtreme BCM57786 Gigabit Ethernet PCIe
 16a4 BCM57840 NetXtreme II Ethernet Multi Function
 16a5 NetXtreme II BCM57800 1/10 Gigabit Ethernet Multi Function
 16a9 NetXtreme II BCM57800 1/10 Gigabit Ethernet Virtual Function
 16ab NetXtreme II BCM57840 10/20 Gigabit Ethernet Multi Function
 16ad NetXtreme II BCM57840 10/20 Gigabit Ethernet Virtual Function
 16ae NetXtreme II BCM57810 10 Gigabit Ethernet Multi Function
 16af NetXtreme II BCM57810 10 Gigabit Ethernet Virtual Function
 16b0 NetXtreme BCM57761 Gigabit Ethernet PCIe
 16b1 NetLink BCM57781 Gigabit Ethernet PCIe
 16b2 NetLink BCM57791 Gigabit Ethernet PCIe
 16b3 NetXtreme BCM57786 Gigabit Ethernet PCIe
 16b4 NetXtreme BCM57765 Gigabit Ethernet PCIe
 16b5 NetLink BCM57785 Gigabit Ethernet PCIe
 16b6 NetLink BCM57795 Gigabit Ethernet PCIe
 16b7 NetXtreme BCM57782 Gigabit Ethernet PCIe
 16bc BCM57765/57785 SDXC/MMC Card Reader
 16be BCM57765/57785 MS Card Reader
 16bf BCM57765/57785 xD-Picture Card Reader
 16cc BCM57417 NetXtreme-E Ethernet Partition
 16d0 BCM57402 NetXtreme-E 10Gb Ethernet Controller
 16d1 BCM57404 NetXtreme-E 10Gb/25Gb Ethernet Controller
 16d2 BCM57406 NetXtreme-E 10GBASE-T Ethernet Controller
 16d4 BCM57402 NetXtreme-E Ethernet Partition
 16d5 BCM57407 NetXtreme-E 10GBase-T Ethernet Controller
 16d6 BCM57412 NetXtreme-E 10Gb RDMA Ethernet Controller
 16d7 BCM57414 NetXtreme-E 10Gb/25Gb RDMA Ethernet Controller
 16d8 BCM57416 NetXtreme-E Dual-Media 10G RDMA Ethernet Controller
 16d9 BCM57417 NetXtreme-E 10GBASE-T RDMA Ethernet Controller
 16dd NetLink BCM5781 Gigabit Ethernet PCI Express
 16de BCM57412 NetXtreme-E Ethernet Partition
 16e2 BCM57417 NetXtreme-E 10Gb/25Gb RDMA Ethernet Controller
 16e3 BCM57416 NetXtreme-E 10Gb RDMA Ethernet Controller
 16e7 BCM57404 NetXtreme-E Ethernet Partition
 16e8 BCM57406 NetXtreme-E Ethernet Partition
 16e9 BCM57407 NetXtreme-E 25Gb Ethernet Controller
 16eb BCM57412 NetXtreme-E RDMA Partition
 16ec BCM57414 NetXtreme-E Ethernet Partition
 16ed BCM57414 NetXtreme-E RDMA Partition
 16ee BCM57416 NetXtreme-E Ethernet Partition
 16ef BCM57416 NetXtreme-E RDMA Partition
 16f1 BCM57452 NetXtreme-E 10Gb/25Gb/40Gb/50Gb Ethernet
 16f7 NetXtreme BCM5753 Gigabit Ethernet PCI Express
 16fd NetXtreme BCM5753M Gigabit Ethernet PCI Express
 16fe NetXtreme BCM5753F Fast Ethernet PCI Express
 1750 BCM57508 NetXtreme-E 10Gb/25Gb/40Gb/50Gb/100Gb/200Gb Ethernet
 1751 BCM57504 NetXtreme-E 10Gb/25Gb/40Gb/50Gb/100Gb/200Gb Ethernet
 1752 BCM57502 NetXtreme-E 10Gb/25Gb/40Gb/50Gb Ethernet
 1800 BCM57502 NetXtreme-E Ethernet Partition
 1801 BCM57504 NetXtreme-E Ethernet Partition
 1802 BCM57508 NetXtreme-E Ethernet Partition
 1803 BCM57502 NetXtreme-E RDMA Partition
 1804 BCM57504 NetXtreme-E RDMA Partition
 1805 BCM57508 NetXtreme-E RDMA Partition
 1806 BCM5750X NetXtreme-E Ethernet Virtual Function
 1807 BCM5750X NetXtreme-E RDMA Virtual Function
 1808 BCM5750X NetXtreme-E Ethernet Virtual Function
 1809 BCM5750X NetXtreme-E RDMA Virtual Function
 2711 BCM2711 PCIe Bridge
 4222 NetXtreme BCM5753M Gigabit Ethernet PCI Express
 5820 BCM5820 Crypto Accelerator
 5821 BCM5821 Crypto Accelerator
 5822 BCM5822 Crypto Accelerator
 5823 BCM5823 Crypto Accelerator
 5824 BCM5824 Crypto Accelerator
 5840 BCM5840 Crypto Accelerator
 5841 BCM5841 Crypto Accelerator
 5850 BCM5850 Crypto Accelerator
 d802 BCM58802 Stingray 50Gb Ethernet SoC
 d804 BCM58804 Stingray 100Gb Ethernet SoC
1556 PLDA
15ad VMware
 0405 SVGA II Adapter
 0710 SVGA Adapter
 0720 VMXNET Ethernet Controller
 0740 Virtual Machine Communication Interface
 0770 USB2 EHCI Controller
 0774 USB1.1 UHCI Controller
 0778 USB3 xHCI 0.96 Controller
 0779 USB3 xHCI 1.0 Controller
 0790 PCI bridge
 07a0 PCI Express Root Port
 07b0 VMXNET3 Ethernet Controller
 07c0 PVSCSI SCSI Controller
 07e0 SATA AHCI controller
 07f0 NVMe SSD Controller
 0801 Virtual Machine Interface
 0820 Paravirtual RDMA controller
 1977 HD Audio Controller
15b3 Mellanox Technologies
 0191 MT25408 [ConnectX IB Flash Recovery]
 01f6 MT27500 Family [ConnectX-3 Flash Recovery]
 01f8 MT27520 Family [ConnectX-3 Pro Flash Recovery]
 01ff MT27600 Family [Connect-IB Flash Recovery]
 0209 MT27700 Family [ConnectX-4 Flash Recovery]
 020b MT27710 Family [ConnectX-4 Lx Flash Recovery]
 020d MT28800 Family [ConnectX-5 Flash Recovery]
 020f MT28908A0 Family [ConnectX-6 Flash Recovery]
 0210 MT28908A0 Family [ConnectX-6 Secure Flash Recovery]
 0211 MT416842 Family [BlueField SoC Flash Recovery]
 0212 MT2892 Family [ConnectX-6 Dx Flash Recovery]
 0213 MT2892 Family [ConnectX-6 Dx Secure Flash Recovery]
 0214 MT42822 Family [BlueField-2 SoC Flash Recovery]
 0215 MT42822 Family [BlueField-2 Secure Flash Recovery]
 0216 MT2894 Family [ConnectX-6 Lx Flash Recovery]
 0217 MT2894 Family [ConnectX-6 Lx Secure Flash Recovery]
 0218 MT2910 Family [ConnectX-7 Flash Recovery]
 0219 MT2910 Family [ConnectX-7 Secure Flash Recovery]
 021a MT43162 Family [BlueField-3 Lx SoC Flash Recovery]
 021b MT43162 Family [BlueField-3 Lx Secure Flash Recovery]
 021c MT43244 Family [BlueField-3 SoC Flash Recovery]
 021d MT43244 Family [BlueField-3 Secure Flash Recovery]
 021e CX8 Family [ConnectX-8 Flash Recovery]
 021f CX8 Family [ConnectX-8 Secure Flash Recovery]
 0220 BF4 Family Flash Recovery [BlueField-4 SoC Flash Recovery]
 0221 BF4 Family Secure Flash Recovery [BlueField-4 Secure Flash Recovery]
 024e MT53100 [Spectrum-2, Flash recovery mode]
 024f MT53100 [Spectrum-2, Secure Flash recovery mode]
 0250 Spectrum-3, Flash recovery mode
 0251 Spectrum-3, Secure Flash recovery mode
 0252 Amos chiplet
 0253 Amos GearBox Manager
 0254 Spectrum-4, Flash recovery mode
 0255 Spectrum-4 RMA
 0256 Abir GearBox
 0257 Quantum-2 in Flash Recovery Mode
 0258 Quantum-2 RMA
 0259 Abir Chiplet
 025b Quantum-3 in Flash Recovery Mode
 025c Quantum-3 RMA
 025d Quantum-3CPO in Flash Recovery Mode
 025e Quantum-3CPO RMA
 0262 MT27710 [ConnectX-4 Lx Programmable] EN
 0263 MT27710 [ConnectX-4 Lx Programmable Virtual Function] EN
 0264 Innova-2 Flex Burn image
 0270 Spectrum-4L, Flash recovery mode
 0271 Spectrum-4L, RMA
 0274 Spectrum-4C, Flash recovery mode
 0275 Spectrum-4C RMA
 0277 Spectrum-4TOR RMA
 0281 NPS-600 Flash Recovery
 0282 ArcusE Flash recovery
 0283 ArcusE RMA
 0284 Sagitta
 0285 Sagitta RMA
 1002 MT25400 Family [ConnectX-2 Virtual Function]
 1003 MT27500 Family [ConnectX-3]
 1004 MT27500/MT27520 Family [ConnectX-3/ConnectX-3 Pro Virtual Function]
 1005 MT27510 Family
 1006 MT27511 Family
 1007 MT27520 Family [ConnectX-3 Pro]
 1009 MT27530 Family
 100a MT27531 Family
 100b MT27540 Family
 100c MT27541 Family
 100d MT27550 Family
 100e MT27551 Family
 100f MT27560 Family
 1010 MT27561 Family
 1011 MT27600 [Connect-IB]
 1012 MT27600 Family [Connect-IB Virtual Function]
 1013 MT27700 Family [ConnectX-4]
 1014 MT27700 Family [ConnectX-4 Virtual Function]
 1015 MT27710 Family [ConnectX-4 Lx]
 1016 MT27710 Family [ConnectX-4 Lx Virtual Function]
 1017 MT27800 Family [ConnectX-5]
 1018 MT27800 Family [ConnectX-5 Virtual Function]
 1019 MT28800 Family [ConnectX-5 Ex]
 101a MT28800 Family [ConnectX-5 Ex Virtual Function]
 101b MT28908 Family [ConnectX-6]
 101c MT28908 Family [ConnectX-6 Virtual Function]
 101d MT2892 Family [ConnectX-6 Dx]
 101e ConnectX Family mlx5Gen Virtual Function
 101f MT2894 Family [ConnectX-6 Lx]
 1020 MT28860
 1021 MT2910 Family [ConnectX-7]
 1023 CX8 Family [ConnectX-8]
 1974 MT28800 Family [ConnectX-5 PCIe Bridge]
 1975 MT416842 Family [BlueField SoC PCIe Bridge]
 1976 MT28908 Family [ConnectX-6 PCIe Bridge]
 1977 MT2892 Family [ConnectX-6 Dx PCIe Bridge]
 1978 MT42822 Family [BlueField-2 SoC PCIe Bridge]
 1979 MT2910 Family [ConnectX-7 PCIe Bridge]
 197a MT43162 Family [BlueField-3 Lx SoC PCIe Bridge]
 197b MT43244 Family [BlueField-3 SoC PCIe Bridge]
 197c ConnectX/BlueField Family mlx5Gen PCIe Bridge [PCIe Bridge]
 2020 MT2892 Family [ConnectX-6 Dx Emulated PCIe Bridge]
 2021 MT42822 Family [BlueField-2 SoC Emulated PCIe Bridge]
 2023 MT2910 Family [ConnectX-7 Emulated PCIe Bridge]
 2024 MT43244 Family [BlueField-3 SoC Emulated PCIe Bridge]
 2025 ConnectX/BlueField Family mlx5Gen Emulated PCIe Bridge [Emulated PCIe Bridge]
 4117 MT27712A0-FDCF-AE
 5274 MT21108 InfiniBridge
 5a44 MT23108 InfiniHost
 5a45 MT23108 [Infinihost HCA Flash Recovery]
 5a46 MT23108 PCI Bridge
 5e8c MT24204 [InfiniHost III Lx HCA]
 5e8d MT25204 [InfiniHost III Lx HCA Flash Recovery]
 6001 NVMe SNAP Controller
 6274 MT25204 [InfiniHost III Lx HCA]
 6278 MT25208 InfiniHost III Ex (Tavor compatibility mode)
 6279 MT25208 [InfiniHost III Ex HCA Flash Recovery]
 6282 MT25208 [InfiniHost III Ex]
 6340 MT25408A0-FCC-SI ConnectX, Dual Port 10Gb/s InfiniBand / 10GigE Adapter IC with PCIe 2.0 x8 2.5GT/s Interface
 634a MT25408A0-FCC-DI ConnectX, Dual Port 20Gb/s InfiniBand / 10GigE Adapter IC with PCIe 2.0 x8 2.5GT/s Interface
 6368 MT25448 [ConnectX EN 10GigE, PCIe 2.0 2.5GT/s]
 6372 MT25458 ConnectX EN 10GBASE-T PCIe 2.5 GT/s
 6732 MT25408A0-FCC-GI ConnectX, Dual Port 20Gb/s InfiniBand / 10GigE Adapter IC with PCIe 2.0 x8 5.0GT/s Interface
 673c MT25408A0-FCC-QI ConnectX, Dual Port 40Gb/s InfiniBand / 10GigE Adapter IC with PCIe 2.0 x8 5.0GT/s Interface
 6746 MT26438 [ConnectX VPI PCIe 2.0 5GT/s - IB QDR / 10GigE Virtualization+]
 6750 MT26448 [ConnectX EN 10GigE, PCIe 2.0 5GT/s]
 675a MT26458 ConnectX EN 10GBASE-T PCIe Gen2 5.0 GT/s
 6764 MT26468 [ConnectX EN 10GigE, PCIe 2.0 5GT/s Virtualization+]
 676e MT26478 [ConnectX EN 40GigE, PCIe 2.0 5GT/s]
 6778 MT26488 [ConnectX VPI PCIe 2.0 5GT/s - IB DDR / 10GigE Virtualization+]
 7101 NPS-400 configuration and management interface
 7102 NPS-400 network interface PF
 7103 NPS-400 network interface VF
 7121 NPS-600 configuration and management interface
 7122 NPS-600 network interface PF
 7123 NPS-600 network interface VF
 8200 Innova-2 Flex Shell Logic
 a2d0 MT416842 BlueField SoC Crypto enabled
 a2d1 MT416842 BlueField SoC Crypto disabled
 a2d2 MT416842 BlueField integrated ConnectX-5 network controller
 a2d3 MT416842 BlueField multicore SoC family VF
 a2d4 MT42822 BlueField-2 SoC Crypto enabled
 a2d5 MT42822 BlueField-2 SoC Crypto disabled
 a2d6 MT42822 BlueField-2 integrated ConnectX-6 Dx network controller
 a2d7 MT43162 BlueField-3 Lx SoC Crypto enabled
 a2d8 MT43162 BlueField-3 Lx SoC Crypto disabled
 a2d9 MT43162 BlueField-3 Lx integrated ConnectX-7 network controller
 a2da MT43244 BlueField-3 SoC Crypto enabled
 a2db MT43244 BlueField-3 SoC Crypto disabled
 a2dc MT43244 BlueField-3 integrated ConnectX-7 network controller
 a2dd BF4 Family Crypto enabled [BlueField-4 SoC Crypto enabled]
 a2de BF4 Family Crypto disabled [BlueField-4 SoC Crypto disabled]
 a2df BF4 Family integrated network controller [BlueField-4 integrated network controller]
 b200 ArcusE
 c2d1 BlueField DPU Family Auxiliary Communication Channel [BlueField Family]
 c2d2 MT416842 BlueField SoC management interfac
 c2d3 MT42822 BlueField-2 SoC Management Interface
 c2d4 MT43162 BlueField-3 Lx SoC Management Interface
 c2d5 MT43244 BlueField-3 SoC Management Interface
 c2d6 BF4 Family Management Interface [BlueField-4 SoC Management Interface]
 c738 MT51136
 c739 MT51136 GW
 c838 MT52236
 c839 MT52236 router
 caf1 ConnectX-4 CAPI Function
 cb84 MT52100
 cf08 Switch-IB2
 cf6c MT53100 [Spectrum-2]
 cf70 Spectrum-3
 cf80 Spectrum-4
 cf82 Spectrum-4L
 cf84 Spectrum-4C
 d2f0 Quantum HDR (200Gbps) switch
 d2f2 Quantum-2 NDR (400Gbps) switch
 d2f4 Quantum-3
 d2f6 Quantum-3CPO
16c3 Synopsys, Inc.
177d Cavium, Inc.
 a001 ThunderX MRML(Master RML Bridge to RSL devices)
 a002 THUNDERX PCC Bridge
 a015 THUNDERX PCIe Switch Logic Interface
 a01f THUNDERX Traffic Network Switch
 a02d THUNDERX PCIERC (PCIe Root Complex)
 af00 CN99xx [ThunderX2] Integrated PCI Host bridge
 af84 CN99xx [ThunderX2] Integrated PCI Express RP Bridge
17cb Qualcomm Technologies, Inc
 0105 MSM8998 PCIe Root Complex
 0108 SM8150 PCIe Root Complex
 0109 SA8195P PCIe Root Complex
 0400 Datacenter Technologies QDF2432 PCI Express Root Port
 0401 Datacenter Technologies QDF2400 PCI Express Root Port
 1000 QCS405 PCIe Root Complex
17cd Cadence Design Systems, Inc.
1912 Renesas Technology Corp.
1924 Solarflare Communications
 0703 SFC4000 rev A net [Solarstorm]
 0710 SFC4000 rev B [Solarstorm]
 0803 SFC9020 10G Ethernet Controller
 0813 SFL9021 10GBASE-T Ethernet Controller
 0903 SFC9120 10G Ethernet Controller
 0923 SFC9140 10/40G Ethernet Controller
 0a03 SFC9220 10/40G Ethernet Controller
 0b03 XtremeScale SFC9250 10/25/40/50/100G Ethernet Controller
 1803 SFC9020 10G Ethernet Controller (Virtual Function)
 1813 SFL9021 10GBASE-T Ethernet Controller (Virtual Function)
 1903 SFC9120 10G Ethernet Controller (Virtual Function)
 1923 SFC9140 10/40G Ethernet Controller (Virtual Function)
 1a03 SFC9220 10/40G Ethernet Controller (Virtual Function)
 1b03 XtremeScale SFC9250 10/25/40/50/100G Ethernet Controller (Virtual Function)
 6703 SFC4000 rev A iSCSI/Onload [Solarstorm]
 c101 EF1-21022T [EtherFabric]
1957 Freescale Semiconductor Inc
 0420 QorIQ P5020 Communications Processor with security engine
 0421 QorIQ P5020 Communications Processor without security engine
 0428 QorIQ P5010 Communications Processor with security engine
 0429 QorIQ P5010 Communications Processor without security engine
 7010 MPC8641 PCI Host Bridge
 7011 MPC8641D PCI Host Bridge
19e5 Huawei Technologies Co., Ltd.
 0123 ES3000 V3 NVMe PCIe SSD
 0200 Hi1822 Family (2*100GE)
 0202 Hi1822 Family (2*32G FC)
 0203 Hi1822 Family (2*16G FC)
 0205 Hi1822 Family (2*100GE)
 0206 Hi1822 Family (2*25GE)
 0210 Hi1822 Family (4*25GE)
 0211 Hi1822 Family (4*25GE)
 0212 Hi1822 Family (2*8G FC)
 0222 Hi1822 Family
 1710 iBMA Virtual Network Adapter
 1711 Hi171x Series [iBMC Intelligent Management system chip w/VGA support]
 1822 Hi1822 Family (4*25GE)
 3714 ES3000 V5 NVMe PCIe SSD
 371e Hi1822 Family Virtual Bridge
 3754 ES3000 V6 NVMe PCIe SSD
 375e Hi1822 Family Virtual Function
 375f Hi1822 Family Virtual Function
 379e Hi1822 Family Virtual Function
 379f Hi1822 Family Virtual Function
 a120 HiSilicon PCIe Root Port with Gen4
 a121 HiSilicon PCI-PCI Bridge
 a122 HiSilicon Embedded DMA Engine
 a124 HiSilicon Internal SDI Function Engine
 a125 HiSilicon SDI Network Controller
 a126 HiSilicon SDI NVMe Storage Controller
 a127 HiSilicon SDI Accelerator
 a12a HiSilicon Add-on PCI-PCI Bridge
 a220 HNS GE Network Controller
 a221 HNS GE/10GE/25GE Network Controller
 a222 HNS GE/10GE/25GE RDMA Network Controller
 a224 HNS GE/10GE/25GE/50GE RDMA Network Controller
 a226 HNS GE/10GE/25GE/50GE/100GE RDMA Network Controller
 a22a HiSilicon Network For SDI
 a22e HNS Network Controller (Virtual Function)
 a22f HNS RDMA Network Controller (Virtual Function)
 a230 HiSilicon SAS 3.0 HBA
 a235 HiSilicon AHCI HBA
 a238 HiSilicon USB 3.0 Host Controller
 a239 HiSilicon USB 2.0 2-port Host Controller
 a23a HiSilicon USB 2.0 Host Controller
 a23b HiSilicon USB 1.1 Host Controller
 a250 HiSilicon ZIP Engine
 a251 HiSilicon ZIP Engine(Virtual Function)
 a255 HiSilicon SEC Engine
 a256 HiSilicon SEC Engine(Virtual Function)
 a258 HiSilicon HPRE Engine
 a259 HiSilicon HPRE Engine(Virtual Function)
 a25a HiSilicon RDE Engine
 a25b HiSilicon RDE Engine(Virtual Function)
1a41 Tilera Corp.
1ab8 Parallels, Inc.
1ae0 Google, Inc.
 001f NVMe device
 0042 Compute Engine Virtual Ethernet [gVNIC]
 abcd Airbrush Combined Paintbox IPU/Oscar Edge TPU [Pixel Neural Core]
1af4 Red Hat, Inc.
 1000 Virtio network device
 1001 Virtio block device
 1002 Virtio memory balloon
 1003 Virtio console
 1004 Virtio SCSI
 1005 Virtio RNG
 1009 Virtio filesystem
 1041 Virtio 1.0 network device
 1042 Virtio 1.0 block device
 1043 Virtio 1.0 console
 1044 Virtio 1.0 RNG
 1045 Virtio 1.0 memory balloon
 1048 Virtio 1.0 SCSI
 1049 Virtio 1.0 filesystem
 1050 Virtio 1.0 GPU
 1052 Virtio 1.0 input
 1053 Virtio 1.0 socket
 105a Virtio file system
 1110 Inter-VM shared memory
1b21 ASMedia Technology Inc.
 1080 ASM1083/1085 PCIe to PCI Bridge
 1182 ASM1182e 2-Port PCIe x1 Gen2 Packet Switch
 1184 ASM1184e 4-Port PCIe x1 Gen2 Packet Switch
 1187 ASM1187e 7-Port PCIe x1 Gen2 Packet Switch
 1812 ASM1812 6-Port PCIe x4 Gen2 Packet Switch
 2824 ASM2824 PCIe Gen3 Packet Switch
1b36 Red Hat, Inc.
 0001 QEMU PCI-PCI bridge
 0002 QEMU PCI 16550A Adapter
 0003 QEMU PCI Dual-port 16550A Adapter
 0004 QEMU PCI Quad-port 16550A Adapter
 0005 QEMU PCI Test Device
 0006 PCI Rocker Ethernet switch device
 0007 PCI SD Card Host Controller Interface
 0008 QEMU PCIe Host bridge
 0009 QEMU PCI Expander bridge
 000a PCI-PCI bridge (multiseat)
 000b QEMU PCIe Expander bridge
 000c QEMU PCIe Root port
 000d QEMU XHCI Host Controller
 0010 QEMU NVM Express Controller
 0100 QXL paravirtual graphic card
1b4b Marvell Technology Group Ltd.
1c36 Annapurna Labs Ltd.
1d0f Amazon.com, Inc.
 7064 NeuronDevice (Inferentia)
 7164 NeuronDevice (Trainium)
 7264 NeuronDevice (Inferentia2)
 8061 NVMe EBS Controller
 cd01 NVMe SSD Controller
 ec20 Elastic Network Adapter (ENA)
 efa0 Elastic Fabric Adapter (EFA)
 efa1 Elastic Fabric Adapter (EFA)
 efa2 Elastic Fabric Adapter (EFA)
1d17 Zhaoxin
 070f ZX-100 PCI Express Root Port
 0710 ZX-100/ZX-200 PCI Express Root Port
 0711 ZX-100/ZX-200 PCI Express Root Port
 0712 ZX-100/ZX-200 PCI Express Root Port
 0713 ZX-100/ZX-200 PCI Express Root Port
 0714 ZX-100/ZX-200 PCI Express Root Port
 0715 ZX-100/ZX-200 PCI Express Root Port
 0716 ZX-D PCI Express Root Port
 0717 KX-5000/KX-6000/KX-6000G Express Root Port
 0718 KX-5000/KX-6000/KX-6000G Express Root Port
 0719 KX-5000/KX-6000/KX-6000G Express Root Port
 071a KX-5000/KX-6000/KX-6000G Express Root Port
 071b KX-5000/KX-6000/KX-6000G Express Root Port
 071c KX-5000/KX-6000/KX-6000G Express Root Port
 071d KX-5000/KX-6000/KX-6000G Express Root Port
 071e KX-5000/KX-6000/KX-6000G Express Root Port
 1000 ZX-D Standard Host Bridge
 1003 ZX-E Standard Host Bridge
 1006 KX-6000G Standard Host Bridge
 3001 ZX-100 Standard Host Bridge
 3038 ZX-100/ZX-200/KX-6000/KX-6000G Standard Universal PCI to USB Host Controller
 3104 ZX-100/ZX-200/KX-6000/KX-6000G Standard Enhanced PCI to USB Host Controller
 31b0 ZX-100/KX-5000/KX-6000/KX-6000G Standard Host Bridge
 31b1 ZX-100/KX-5000/KX-6000/KX-6000G Standard Host Bridge
 31b7 ZX-100/KX-5000/KX-6000/KX-6000G Standard Host Bridge
 31b8 ZX-100/ZX-D PCI to PCI Bridge
 9202 ZX-100 USB eXtensible Host Controller
 9203 ZX-200 USB eXtensible Host Controller
 9204 KX-6000/KX-6000G USB eXtensible Host Controller
 9286 ZX-D eMMC Host Controller
 9300 ZX-100/KX-5000/KX-6000/KX-6000G eSPI Host Controller
 95d0 ZX-100 Universal SD Host Controller
1d87 Rockchip Electronics Co., Ltd
 0100 RK3399 PCI Express Root Port
 1808 RK1808 Neural Network Processor Card
 3528 RK3528 PCI Express Root Port
 3562 RK3562 PCI Express Root Port
 3566 RK3568 Remote Signal Processor
 3588 RK3588
1d94 Chengdu Haiguang IC Design Co., Ltd.
 1450 Root Complex
 1451 I/O Memory Management Unit
 1452 PCIe Dummy Host Bridge
 1453 PCIE GPP Bridge
 1454 Internal PCIe GPP Bridge 0 to Bus B
 1455 PCIe Dummy Function
 1456 PSPCCP Command DMA Processor
 1458 10 Gb Ethernet Controller Port 0/Port1
 1459 10 Gb Ethernet Controller Port 2/Port3
 145a PCIe Dummy Function
 145b PCIE Non-Transparent Bridge
 145c USB3 XHCI
 145d Switch upstream in PCIe
 145e Switch downstream in PCIe
 145f USB 3.0 Host controller
 1460 Data Fabric: Device 18h; Function 0
 1461 Data Fabric: Device 18h; Function 1
 1462 Data Fabric: Device 18h; Function 2
 1463 Data Fabric: Device 18h; Function 3
 1464 Data Fabric: Device 18h; Function 4
 1465 Data Fabric: Device 18h; Function 5
 1466 Data Fabric: Device 18h; Function 6
 1467 Data Fabric: Device 18h; Function 7
 1468 NTBCCP
 7901 FCH SATA Controller [AHCI mode]
 7904 FCH SATA Controller [AHCI mode]
 7906 FCH SD Flash Controller
 790b FCH SMBus Controller
 790e FCH LPC Bridge
1da3 Habana Labs Ltd.
 0001 HL-1000 AI Inference Accelerator [Goya]
 0030 Greco AI Inference Accelerator
 1000 HL-2000 AI Training Accelerator [Gaudi]
 1010 HL-2000 AI Training Accelerator [Gaudi secured]
 1020 Gaudi2 AI Training Accelerator
1db7 Phytium Technology Co., Ltd.
 dc20 [X100 Series]
 dc21 VPU Controller [X100 Series]
 dc22 DC Controller [X100 Series]
 dc23 I2S/DMA Controller [X100 Series]
 dc24 NPU Controller [X100 Series]
 dc26 SATA Controller [X100 Series]
 dc27 USB Controller [X100 Series]
 dc29 NANDFLASH Controller [X100 Series]
 dc2b I2S Controller [X100 Series]
 dc2c SPIM Controller [X100 Series]
 dc2d CAN Controller [X100 Series]
 dc2e UART Controller [X100 Series]
 dc2f PWM Controller [X100 Series]
 dc30 MIO Controller [X100 Series]
 dc31 GPIO Controller [X100 Series]
 dc32 SMBUS Controller [X100 Series]
 dc34 PS2 Controller [X100 Series]
 dc35 LPC Controller [X100 Series]
 dc36 LDMA Controller [X100 Series]
 dc38 LSD_CFG Controller [X100 Series]
 dc3a SWITCH Controller [X100 Series]
 dc3c GPU_DMA Controller [X100 Series]
1dbf Guizhou Huaxintong Semiconductor Technology Co., Ltd
1dd8 AMD Pensando Systems
 0002 DSC2 Elba Upstream Port
 1000 DSC Capri Upstream Port
 1001 DSC Virtual Downstream Port
 1002 DSC Ethernet Controller
 1003 DSC Ethernet Controller VF
 1004 DSC Management Controller
 1005 DSC NVMe Controller
 1006 DSC NVMe Controller VF
 1007 DSC Storage Accelerator
 1009 DSC Ethernet Controller UPT
 100a DSC Serial Port Controller
 100b DSC vDPA Network Device VF
 100c DSC PDS Core Management
 100d DSC Virtio Network Device VF
1ded Alibaba (China) Co., Ltd.
 8000 M1 Root Port
1def Ampere Computing, LLC
 e005 eMAG PCI Express Root Port 0
 e006 eMAG PCI Express Root Port 1
 e007 eMAG PCI Express Root Port 2
 e008 eMAG PCI Express Root Port 3
 e009 eMAG PCI Express Root Port 4
 e00a eMAG PCI Express Root Port 5
 e00b eMAG PCI Express Root Port 6
 e00c eMAG PCI Express Root Port 7
 e100 Altra PCI Express Root Complex A
 e101 Altra PCI Express Root Port a0
 e102 Altra PCI Express Root Port a1
 e103 Altra PCI Express Root Port a2
 e104 Altra PCI Express Root Port a3
 e105 Altra PCI Express Root Port a4
 e106 Altra PCI Express Root Port a5
 e107 Altra PCI Express Root Port a6
 e108 Altra PCI Express Root Port a7
 e110 Altra PCI Express Root Complex B
 e111 Altra PCI Express Root Port b0
 e112 Altra PCI Express Root Port b1
 e113 Altra PCI Express Root Port b2
 e114 Altra PCI Express Root Port b3
 e115 Altra PCI Express Root Port b4
 e116 Altra PCI Express Root Port b5
 e117 Altra PCI Express Root Port b6
 e118 Altra PCI Express Root Port b7
1ed5 Moore Threads Technology Co.,Ltd
 0100 MTT S10
 0101 MTT S10
 0102 MTT S30
 0105 MTT S50
 0106 MTT S60
 0111 MTT S100
 0121 MTT S1000M
 0122 MTT S1000
 0123 MTT S2000
 0200 MTT S80 Engineering Sample
 0201 MTT S80
 0202 MTT S70
 0203 MTT S60
 0211 G2D40
 0221 G2S80
 0222 MTT S3000
 0223 G2S4
 0251 G2N10
5853 XenSource, Inc.
 0001 Xen Platform Device
 c000 Citrix XenServer PCI Device for Windows Update
 c110 Virtualized HID
 c147 Virtualized Graphics Device
 c200 XCP-ng Project PCI Device for Windows Update
8086 Intel Corporation
 0040 Core Processor DRAM Controller
 0044 Core Processor DRAM Controller
 0048 Core Processor DRAM Controller
 0069 Core Processor DRAM Controller
 0100 2nd Generation Core Processor Family DRAM Controller
 0101 Xeon E3-1200/2nd Generation Core Processor Family PCI Express Root Port
 0104 2nd Generation Core Processor Family DRAM Controller
 0105 Xeon E3-1200/2nd Generation Core Processor Family PCI Express Root Port
 0108 Xeon E3-1200 Processor Family DRAM Controller
 0109 Xeon E3-1200/2nd Generation Core Processor Family PCI Express Root Port
 010c Xeon E3-1200/2nd Generation Core Processor Family DRAM Controller
 010d Xeon E3-1200/2nd Generation Core Processor Family PCI Express Root Port
 0150 Xeon E3-1200 v2/3rd Gen Core processor DRAM Controller
 0151 Xeon E3-1200 v2/3rd Gen Core processor PCI Express Root Port
 0154 3rd Gen Core processor DRAM Controller
 0155 Xeon E3-1200 v2/3rd Gen Core processor PCI Express Root Port
 0158 Xeon E3-1200 v2/Ivy Bridge DRAM Controller
 0159 Xeon E3-1200 v2/3rd Gen Core processor PCI Express Root Port
 015c Xeon E3-1200 v2/3rd Gen Core processor DRAM Controller
 015d Xeon E3-1200 v2/3rd Gen Core processor PCI Express Root Port
 0958 Quark SoC X1000 Host Bridge
 09a2 Ice Lake Memory Map/VT-d
 0a04 Haswell-ULT DRAM Controller
 0bd5 Ponte Vecchio XT (2 Tile) [Data Center GPU Max 1550]
 0bd6 Ponte Vecchio XT (2 Tile) [Data Center GPU Max 1550]
 0bd7 Ponte Vecchio XT (2 Tile) [Data Center GPU Max 1350]
 0bd8 Ponte Vecchio XT (2 Tile) [Data Center GPU Max 1350]
 0bd9 Ponte Vecchio XT (1 Tile) [Data Center GPU Max 1100]
 0bda Ponte Vecchio XT (1 Tile) [Data Center GPU Max 1100]
 0bdb Ponte Vecchio XT (1 Tile) [Data Center GPU Max 1100]
 0c00 4th Gen Core Processor DRAM Controller
 0c04 Xeon E3-1200 v3/4th Gen Core Processor DRAM Controller
 0c08 Xeon E3-1200 v3 Processor DRAM Controller
 0cf8 Ethernet Controller X710 Intel(R) FPGA Programmable Acceleration Card N3000 for Networking
 0d00 Crystal Well DRAM Controller
 0d04 Crystal Well DRAM Controller
 0d58 Ethernet Controller XXV710 Intel(R) FPGA Programmable Acceleration Card N3000 for Networking
 0dd2 Ethernet Network Adapter I710
 0e00 Xeon E7 v2/Xeon E5 v2/Core i7 DMI2
 0e01 Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port in DMI2 Mode
 0e02 Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 1a
 0e03 Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 1b
 0e04 Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 2a
 0e05 Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 2b
 0e06 Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 2c
 0e07 Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 2d
 0e08 Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 3a
 0e09 Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 3b
 0e0a Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 3c
 0e0b Xeon E7 v2/Xeon E5 v2/Core i7 PCI Express Root Port 3d
 101f Ethernet Controller V710 for 5GBASE-T
 104e Ethernet Controller X710 for 10 Gigabit SFP+
 104f Ethernet Controller X710 for 10 Gigabit backplane
 1096 80003ES2LAN Gigabit Ethernet Controller (Copper)
 1098 80003ES2LAN Gigabit Ethernet Controller (Serdes)
 10ba 80003ES2LAN Gigabit Ethernet Controller (Copper)
 10bb 80003ES2LAN Gigabit Ethernet Controller (Serdes)
 1237 440FX - 82441FX PMC [Natoma]
 1515 X540 Ethernet Controller Virtual Function
 1520 I350 Ethernet Controller Virtual Function
 1528 Ethernet Controller 10-Gigabit X540-AT2
 1560 Ethernet Controller X540
 1563 Ethernet Controller X550
 1572 Ethernet Controller X710 for 10GbE SFP+
 1574 Ethernet Controller XL710 Emulation
 1580 Ethernet Controller XL710 for 40GbE backplane
 1581 Ethernet Controller X710 for 10GbE backplane
 1583 Ethernet Controller XL710 for 40GbE QSFP+
 1584 Ethernet Controller XL710 for 40GbE QSFP+
 1585 Ethernet Controller X710 for 10GbE QSFP+
 1586 Ethernet Controller X710 for 10GBASE-T
 1587 Ethernet Controller XL710 for 20GbE backplane
 1588 Ethernet Controller XL710 for 20GbE backplane
 1589 Ethernet Controller X710/X557-AT 10GBASE-T
 158a Ethernet Controller XXV710 for 25GbE backplane
 158b Ethernet Controller XXV710 for 25GbE SFP28
 1591 Ethernet Controller E810-C for backplane
 1592 Ethernet Controller E810-C for QSFP
 1593 Ethernet Controller E810-C for SFP
 1599 Ethernet Controller E810-XXV for backplane
 159a Ethernet Controller E810-XXV for QSFP
 159b Ethernet Controller E810-XXV for SFP
 15d1 Ethernet Controller 10G X550T
 15ff Ethernet Controller X710 for 10GBASE-T
 1600 Broadwell-U Host Bridge -OPI
 1604 Broadwell-U Host Bridge -OPI
 1608 Broadwell-U Host Bridge -OPI
 1610 Broadwell-U Host Bridge - DMI
 1614 Broadwell-U Host Bridge - DMI
 1618 Broadwell-U Host Bridge - DMI
 1900 Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor Host Bridge/DRAM Registers
 1901 6th-10th Gen Core Processor PCIe Controller (x16)
 1904 Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor Host Bridge/DRAM Registers
 1905 Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor PCIe Controller (x8)
 1908 Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor Host Bridge/DRAM Registers
 1909 Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor PCIe Controller (x4)
 190c Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor Host Bridge/DRAM Registers
 190f Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor Host Bridge/DRAM Registers
 1910 Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor Host Bridge/DRAM Registers
 1918 Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor Host Bridge/DRAM Registers
 191f Xeon E3-1200 v5/E3-1500 v5/6th Gen Core Processor Host Bridge/DRAM Registers
 1c25 6 Series/C200 Series Chipset Family DMI to PCI Bridge
 1d25 C600/X79 series chipset DMI to PCI Bridge
 1e25 7 Series/C210 Series Chipset Family DMI to PCI Bridge
 201d Volume Management Device NVMe RAID Controller
 2020 Sky Lake-E DMI3 Registers
 2030 Sky Lake-E PCI Express Root Port A
 2031 Sky Lake-E PCI Express Root Port B
 2032 Sky Lake-E PCI Express Root Port C
 2033 Sky Lake-E PCI Express Root Port D
 24f0 Omni-Path HFI Silicon 100 Series [discrete]
 24f1 Omni-Path HFI Silicon 100 Series [integrated]
 2580 82915G/P/GV/GL/PL/910GL Memory Controller Hub
 2584 82925X/XE Memory Controller Hub
 2590 Mobile 915GM/PM/GMS/910GML Express Processor to DRAM Controller
 25c0 5000X Chipset Memory Controller Hub
 25d0 5000Z Chipset Memory Controller Hub
 25d4 5000V Chipset Memory Controller Hub
 25d8 5000P Chipset Memory Controller Hub
 2770 82945G/GZ/P/PL Memory Controller Hub
 2774 82955X Memory Controller Hub
 277c 82975X Memory Controller Hub
 27a0 Mobile 945GM/PM/GMS, 943/940GML and 945GT Express Memory Controller Hub
 27ac Mobile 945GSE Express Memory Controller Hub
 28c0 Volume Management Device NVMe RAID Controller
 2970 82946GZ/PL/GL Memory Controller Hub
 2980 82G35 Express DRAM Controller
 2990 82Q963/Q965 Memory Controller Hub
 29a0 82P965/G965 Memory Controller Hub
 29b0 82Q35 Express DRAM Controller
 29c0 82G33/G31/P35/P31 Express DRAM Controller
 29d0 82Q33 Express DRAM Controller
 29e0 82X38/X48 Express DRAM Controller
 29f0 3200/3210 Chipset DRAM Controller
 2a00 Mobile PM965/GM965/GL960 Memory Controller Hub
 2a10 Mobile GME965/GLE960 Memory Controller Hub
 2a40 Mobile 4 Series Chipset Memory Controller Hub
 2e00 4 Series Chipset DRAM Controller
 2e10 4 Series Chipset DRAM Controller
 2e20 4 Series Chipset DRAM Controller
 2e30 4 Series Chipset DRAM Controller
 2e40 4 Series Chipset DRAM Controller
 2e63 CE Media Processor HDMI Tx Interface
 2e6e CE Media Processor Gigabit Ethernet Controller
 2e90 4 Series Chipset DRAM Controller
 2f00 Xeon E7 v3/Xeon E5 v3/Core i7 DMI2
 2f00 Haswell-E DMI2
 2f01 Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 0
 2f02 Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 1
 2f03 Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 1
 2f04 Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 2
 2f05 Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 2
 2f06 Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 2
 2f07 Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 2
 2f08 Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 3
 2f09 Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 3
 2f0a Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 3
 2f0b Xeon E7 v3/Xeon E5 v3/Core i7 PCI Express Root Port 3
 31f0 Gemini Lake Host Bridge
 3400 5520/5500/X58 I/O Hub to ESI Port
 3401 5520/5500/X58 I/O Hub to ESI Port
 3402 5520/5500/X58 I/O Hub to ESI Port
 3403 5500 I/O Hub to ESI Port
 3404 5520/5500/X58 I/O Hub to ESI Port
 3405 5520/5500/X58 I/O Hub to ESI Port
 3406 5520 I/O Hub to ESI Port
 3407 5520/5500/X58 I/O Hub to ESI Port
 34b0 Ice Lake-LP PCI Express Root Port #9
 34b7 Ice Lake-LP PCI Express Root Port #16
 34ba Ice Lake-LP PCI Express Root Port #3
 34bc Ice Lake-LP PCI Express Root Port #5
 34ef Ice Lake-LP DRAM Controller
 35b1 3100 DRAM Controller Error Reporting Registers
 3600 7300 Chipset Memory Controller Hub
 3c00 Xeon E5/Core i7 DMI2
 3c00 Sandy Bridge DMI2
 3c01 Xeon E5/Core i7 DMI2 in PCI Express Mode
 3c01 Sandy Bridge DMI2 in PCI Express Mode
 3c02 Xeon E5/Core i7 IIO PCI Express Root Port 1a
 3c03 Xeon E5/Core i7 IIO PCI Express Root Port 1b
 3c04 Xeon E5/Core i7 IIO PCI Express Root Port 2a
 3c05 Xeon E5/Core i7 IIO PCI Express Root Port 2b
 3c06 Xeon E5/Core i7 IIO PCI Express Root Port 2c
 3c07 Xeon E5/Core i7 IIO PCI Express Root Port 2d
 3c08 Xeon E5/Core i7 IIO PCI Express Root Port 3a in PCI Express Mode
 3c09 Xeon E5/Core i7 IIO PCI Express Root Port 3b
 3c0a Xeon E5/Core i7 IIO PCI Express Root Port 3c
 3c0b Xeon E5/Core i7 IIO PCI Express Root Port 3d
 3e10 8th Gen Core 4-core Processor Host Bridge/DRAM Registers [Coffee Lake H]
 3e18 8th Gen Core 4-core Workstation Processor Host Bridge/DRAM Registers [Coffee Lake S]
 3e1f 8th Gen Core 4-core Desktop Processor Host Bridge/DRAM Registers [Coffee Lake S]
 3e30 8th/9th Gen Core 8-core Desktop Processor Host Bridge/DRAM Registers [Coffee Lake S]
 3e33 8th/9th Gen Core Processor Host Bridge/DRAM Registers [Coffee Lake]
 3e34 Coffee Lake HOST and DRAM Controller
 3e35 Coffee Lake Host Bridge/DRAM Registers
 3e81 8th Gen Core Processor PCIe Controller (x16)
 3e85 8th Gen Core Processor PCIe Controller (x8)
 3e89 8th Gen Core Processor PCIe Controller (x4)
 3ec2 8th Gen Core Processor Host Bridge/DRAM Registers
 3ec4 8th Gen Core Processor Host Bridge/DRAM Registers
 3ec6 8th Gen Core Processor Host Bridge/DRAM Registers
 3eca 8th Gen Core Processor Host Bridge/DRAM Registers
 3ed0 8th Gen Core Processor Host Bridge/DRAM Registers
 4000 5400 Chipset Memory Controller Hub
 4001 5400 Chipset Memory Controller Hub
 4003 5400 Chipset Memory Controller Hub
 4629 12th Gen Core Processor Host Bridge/DRAM Registers
 4641 12th Gen Core Processor Host Bridge/DRAM Registers
 4660 12th Gen Core Processor Host Bridge/DRAM Registers
 4668 12th Gen Core Processor Host Bridge/DRAM Registers
 467f Volume Management Device NVMe RAID Controller
 4c3d Volume Management Device NVMe RAID Controller
 4f80 DG2
 4f81 DG2
 4f82 DG2
 4f90 DG2 Audio Controller
 4f91 DG2 Audio Controller
 4f92 DG2 Audio Controller
 5020 EP80579 Memory Controller Hub
 5690 DG2 [Arc A770M]
 5691 DG2 [Arc A730M]
 5692 DG2 [Arc A550M]
 5693 DG2 [Arc A370M]
 5694 DG2 [Arc A350M]
 5695 DG2 [Iris Xe MAX A200M]
 56a0 DG2 [Arc A770]
 56a1 DG2 [Arc A750]
 56a2 DG2 [Arc A580]
 56a5 DG2 [Arc A380]
 56a6 DG2 [Arc A310]
 56b0 DG2 [Arc Pro A30M]
 56b1 DG2 [Arc Pro A40/A50]
 56c0 Data Center GPU Flex 170
 56c1 Data Center GPU Flex 140
 57b1 Ethernet Controller E610 1GBASE T
 5900 Xeon E3-1200 v6/7th Gen Core Processor Host Bridge/DRAM Registers
 5901 Xeon E3-1200 v6/7th Gen Core Processor PCIe Controller (x16)
 5904 Xeon E3-1200 v6/7th Gen Core Processor Host Bridge/DRAM Registers
 5905 Xeon E3-1200 v6/7th Gen Core Processor PCIe Controller (x8)
 5909 Xeon E3-1200 v6/7th Gen Core Processor PCIe Controller (x4)
 590c Xeon E3-1200 v6/7th Gen Core Processor Host Bridge/DRAM Registers
 590f Xeon E3-1200 v6/7th Gen Core Processor Host Bridge/DRAM Registers
 5910 Xeon E3-1200 v6/7th Gen Core Processor Host Bridge/DRAM Registers
 5914 Xeon E3-1200 v6/7th Gen Core Processor Host Bridge/DRAM Registers
 5918 Xeon E3-1200 v6/7th Gen Core Processor Host Bridge/DRAM Registers
 591f Xeon E3-1200 v6/7th Gen Core Processor Host Bridge/DRAM Registers
 65c0 5100 Chipset Memory Controller Hub
 6f00 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D DMI2
 6f01 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 0
 6f02 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 1
 6f03 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 1
 6f04 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 2
 6f05 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 2
 6f06 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 2
 6f07 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 2
 6f08 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 3
 6f09 Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 3
 6f0a Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 3
 6f0b Xeon E7 v4/Xeon E5 v4/Xeon E3 v4/Xeon D PCI Express Root Port 3
 7180 440LX/EX - 82443LX/EX Host bridge
 7190 440BX/ZX/DX - 82443BX/ZX/DX Host bridge
 7191 440BX/ZX/DX - 82443BX/ZX/DX AGP bridge
 7192 440BX/ZX/DX - 82443BX/ZX/DX Host bridge (AGP disabled)
 7194 82440MX Host Bridge
 7d0b Volume Management Device NVMe RAID Controller Intel Corporation
 8100 US15W/US15X SCH [Poulsbo] Host Bridge
 8101 US15L/UL11L SCH [Poulsbo] Host Bridge
 8802 Platform Controller Hub EG20T Gigabit Ethernet Controller
 8a12 Ice Lake-LP Processor Host Bridge/DRAM Registers
 8a14 Ice Lake Processor Host Bridge/DRAM Registers
 8a1d Ice Lake Thunderbolt 3 PCI Express Root Port #0
 8a1f Ice Lake Thunderbolt 3 PCI Express Root Port #1
 8a21 Ice Lake Thunderbolt 3 PCI Express Root Port #2
 8a23 Ice Lake Thunderbolt 3 PCI Express Root Port #3
 9a01 11th Gen Core Processor PCIe Controller #1
 9a09 11th Gen Core Processor PCIe Controller
 9a0b Volume Management Device NVMe RAID Controller
 9a0f 11th Gen Core Processor PCIe Controller #0
 9a14 11th Gen Core Processor Host Bridge/DRAM Registers
 9a26 11th Gen Core Processor Host Bridge/DRAM Registers
 9a36 11th Gen Core Processor Host Bridge/DRAM Registers
 9b33 Comet Lake-S 6c Host Bridge/DRAM Controller
 9b43 10th Gen Core Processor Host Bridge/DRAM Registers
 9b44 10th Gen Core Processor Host Bridge/DRAM Registers
 9b53 Comet Lake-S 6c Host Bridge/DRAM Controller
 9b54 10th Gen Core Processor Host Bridge/DRAM Registers
 9b61 Comet Lake-U v1 4c Host Bridge/DRAM Controller
 9b63 10th Gen Core Processor Host Bridge/DRAM Registers
 9b64 10th Gen Core Processor Host Bridge/DRAM Registers
 a125 100 Series/C230 Series Chipset Family Gigabit Ethernet Controller
 a2a5 200 Series/Z370 Chipset Family Gigabit Ethernet Controller
 a77f Volume Management Device NVMe RAID Controller Intel Corporation
 abc0 Omni-Path Fabric Switch Silicon 100 Series
 ad0b Volume Management Device NVMe RAID Controller Intel Corporation
 d130 Core Processor DMI
 d131 Core Processor DMI
 d132 Core Processor DMI
 d133 Core Processor DMI
 d134 Core Processor DMI
 d135 Core Processor DMI
 d136 Core Processor DMI
 d137 Core Processor DMI
80ee InnoTek Systemberatung GmbH
 beef VirtualBox Graphics Adapter
 cafe VirtualBox Guest Service
f15e SiFive, Inc.
`;

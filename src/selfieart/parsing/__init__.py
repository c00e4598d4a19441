"""Photo -> segments.

What thresholds say of themselves was measured with the U-Net on pictures held out from its training: 40 faces
(CelebAMask-HQ) and 60 portraits (EG1800), those faces again as 20 pairs cheek to cheek, and 23 of them made 48 to 128
pixels wide in larger photos: 163 faces in all; and on 40 photos without people, some of which it may have learned from.
Other values were tried on all pairs, 19 of the small faces, and 20 each of faces (IoU of 19 segments) and portraits
(IoU of the person); on 10 each where the network had to look again.
"""

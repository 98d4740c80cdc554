"""Whether neighbouring pixels share noise, from one picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from untaught.noise.patches import FREQUENCY, SIZE, Floats, Patches, dct_basis
FLAT=.05
MOST=6000
def spectrum(patches: Patches, share: Floats, flat=FLAT, usable=None):
    z = np.square(patches.dct) / share[:, :, None]
    z = z.mean(1)
    parity = FREQUENCY % 2
    psd = np.ones(SIZE * SIZE); psd[0]=0
    k = min(len(z), max(300, int(flat * len(z))))
    for _ in range(3):
        new = np.zeros(SIZE * SIZE)
        for p in (0, 1):
            judge = (parity == p) & (FREQUENCY > 0)
            score = (z[:, judge] / np.maximum(psd[judge], 1e-3*psd.max())).mean(1)
            sel = np.argpartition(score, k - 1)[:k]
            new[~judge] = z[sel][:, ~judge].mean(0)
        psd = new
        psd[0] = psd[[1, SIZE, SIZE + 1]].mean()
    return psd
def rho_of(psd, reach=3):
    K = dct_basis().astype(float)
    cov = K.T @ (psd[:, None] * K)
    cov = cov.reshape(SIZE, SIZE, SIZE, SIZE)
    r=np.zeros((2*reach+1,)*2)
    for dy in range(-reach,reach+1):
        for dx in range(-reach,reach+1):
            vals=[cov[i,j,i+dy,j+dx] for i in range(max(0,-dy),min(SIZE,SIZE-dy)) for j in range(max(0,-dx),min(SIZE,SIZE-dx))]
            r[dy+reach,dx+reach]=np.mean(vals)
    return r/r[reach,reach]

"""prototype"""
import datetime as dt, math
from collections.abc import *
from dataclasses import dataclass
from typing import Literal, Any
import numpy as np

SPEAKS_AFTER = 28
TELLS_AFTER = 56

@dataclass(frozen=True, slots=True)
class Judged:
    day: dt.date
    score: float
    expected: float | None
    lower: float | None
    upper: float | None
    flagged: bool
    stuck: bool
    enough: Literal["none", "speaks", "tells"]
    why: str

ALPHAS = np.array([0.04, 0.1, 0.2, 0.35, 0.55, 0.8])
SPANS = (1, 2, 3, 7)
P = dict(pw=6.0, disc=0.97, clip=2.5, hmin=3.2, share={(1,-1):1.3,(1,1):1.0,(2,-1):.3,(2,1):.1,(3,-1):.4,(3,1):.1,(7,-1):.3,(7,1):.1},
  mult=1.0, again=1.25, accept=7, quiet=7, q0=.80, q1=.97, sw=.5, wwin=12, hol=0.2)

class Watch:
    def __init__(self, kind, holidays, known_events, alert_budget):
        self.kind, self.hol, self.known, self.budget = kind, holidays, known_events, alert_budget
        self.n = 0
        self.vals=[]; self.days=[]
        self.y=[]       # clean transformed
        self.f=[]
        self.u=[]       # deseasonalised
        self.C=[]       # combined level after step
        self.lev=None
        self.err=np.ones((2,len(ALPHAS)))*.1
        self.wd=np.zeros((2,7))
        self.s=None
        self.ws=np.ones(7); 
        self.z={(k): [] for k in SPANS}
        self.S={k: None for k in SPANS}
        self.h={}
        self.hol_eff={}
        self.run=1
        self.repeats=0
        self.out=[]   # recent excluded u values
        self.last=None # (index, side, score)
        self.old=None
        self.mode=None

    # --- transforms
    def setup(self):
        v=np.array(self.vals)
        if self.kind=="ratio" and v.min()>=0 and v.max()<=1: self.mode="logit"
        elif v.min()<0: self.mode="id"; self.unit=max(float(np.median(np.abs(v-np.median(v)))),1e-9)
        else:
            self.mode="log"
        med=float(np.median(v[v>0])) if (v>0).any() else 1.0
        self.off = 1.0 if (v==np.round(v)).all() else 0.01*med
        if self.mode=="logit": self.off=max(1e-4, 0.02*min(med,1-med if med<1 else .5))
    def t(self,v):
        if self.mode=="logit":
            p=min(max(v,0.0),1.0); return math.log((p+self.off)/(1-p+self.off))
        if self.mode=="id": return v/self.unit
        return math.log(max(v,0.0)+self.off)
    def inv(self,y):
        if self.mode=="logit":
            e=math.exp(min(y,50)); return min(1.0,max(0.0,(e*(1+self.off)-self.off)/(1+e)))
        if self.mode=="id": return y*self.unit
        return max(0.0,math.exp(min(y,300))-self.off)

    def holiday(self, day):
        "returns list of keys"
        keys=[]
        for off in (0,-1,1):
            name=self.hol.get(day+dt.timedelta(days=off))
            if name: keys.append((name.replace(" (observed)",""),off)); break
        return keys

    def seasonal(self):
        m=len(self.y); w=26*7
        y=np.array(self.y[-w-6:])
        if len(y)<21: return
        from numpy.lib.stride_tricks import sliding_window_view as sw
        tr=np.median(sw(y,7),axis=1) if False else sw(y,7).mean(axis=1)
        d=y[3:-3]-tr
        wds=np.array([x.weekday() for x in self.days[-len(y):]])[3:-3]
        for j,win in enumerate((P["wwin"]*7,w)):
            dd=d[-win:]; ww=wds[-win:]
            for k in range(7):
                a=dd[ww==k]
                if len(a):
                    a=np.sort(a); c=len(a)//4
                    self.wd[j,k]=a[c:len(a)-c].mean()
                else: self.wd[j,k]=0
            self.wd[j]-=self.wd[j].mean()

    def thresholds(self):
        for k in SPANS:
            zz=np.array(self.z[k][-400:])
            for side in (-1,1):
                share=P["share"][(k,side)]*self.budget/4
                p=share/365.25
                x=zz*side
                n=len(x)
                if n<20: self.h[k,side]=4.5; continue
                x=np.sort(x)
                lo=x[int(P["q0"]*n)]
                tail=x[int(P["q0"]*n):]
                m=max(1e-3,(np.minimum(tail, x[min(n-1,int(P["q1"]*n))]) - lo).mean())
                # mean of exp truncated-at quantile: m = beta*(1-exp(-c/beta))...; tail frac
                frac=(1-P["q1"])/(1-P["q0"])
                beta=m/(1-frac)
                h=lo+beta*math.log((1-P["q0"])/p)
                # prior blend
                wgt=n/(n+60)
                self.h[k,side]=max(P["hmin"],P["mult"]*(wgt*h+(1-wgt)*4.5))

    # --- one day
    def step(self, day, value):
        i=self.n
        if i<SPEAKS_AFTER:
            self.vals.append(value); self.days.append(day); self.n+=1
            if self.n==SPEAKS_AFTER: self.warm()
            return Judged(day,0.0,None,None,None,False,False,"none",f"{i} of {SPEAKS_AFTER} days of history.")
        y=self.t(value)
        if (i%7)==0 : self.seasonal()
        w=(self.err+1e-9)**-P["pw"]; w/=w.sum()
        wd=day.weekday()
        seas=float((w*self.wd[:,wd:wd+1]).sum())
        C=float((w*self.lev).sum())
        he=0.0; hs=0.0
        keys=self.holiday(day)
        for key in keys:
            past=self.hol_eff.get(key,[])
            pool=[abs(x) for kk,v in self.hol_eff.items() if (kk[1]==0)==(key[1]==0) for x in v]
            typ=(sum(pool)/len(pool) if pool else (0.3 if key[1]==0 else .1))
            if past:
                he=sum(past)/(len(past)+.3); hs=typ*.5
            else: hs=typ*1.0
        f=C+seas+he
        s=self.s*(P["sw"]*self.ws[wd]+1-P["sw"])
        if hs: s=math.hypot(s,hs)
        r=y-f
        u=y-seas-he
        z={1:r/s}
        for k in SPANS[1:]:
            if len(self.u)>=k and self.S[k]:
                rk=(sum(self.u[-(k-1):])+u)/k-self.C[-k]
                z[k]=rk/(self.S[k]*(s/self.s))
        if i==SPEAKS_AFTER or i%7==0: self.thresholds()
        # score
        score=0.0; side=0; span=1
        for k,v in z.items():
            sd=1 if v>0 else -1
            q=abs(v)/self.h[k,sd]
            if q>score: score,side,span=q,sd,k
        # impossible
        imp=(value<0 and min(self.vals)>=0) or (self.mode=="logit" and value>1 and max(self.vals)<=1)
        # stuck
        run=self.run+1 if value==self.vals[-1] else 1
        nat=(self.repeats+.3)/(i+0.0)
        stuck=False
        if run>=3: stuck = nat**(run-1)*365<0.5
        rep=False
        if run==2:
            v=np.array(self.vals[-200:]); df=np.abs(np.diff(v)); med=np.median(df)
            if self.integer: 
                near=np.mean(df<=max(3,0.05*med)); wdt=2*math.floor(max(3,.05*med))+1
                pr=max(near,.5*0.05*.7)/wdt
            else: pr=0.0
            rep = pr*365<.35 and self.repeats<=i/300
        if run>=4 and stuck: pass
        cand=score>1 or imp or stuck or rep
        # suppression
        flagged=False
        if imp: score=max(score,3.0)
        if cand:
            flagged=True
            if score<=1 and (stuck or rep): 
                pass
            elif self.last and i-self.last[0]<=P["quiet"]:
                if side==self.last[1]:
                    flagged = score>=P["again"]*self.last[2] or (side<0 and score>1.6)
                else: flagged = score>1.3
            if self.old and i-self.old[0]<40 and abs(u-self.old[1])<2.5*s and not imp and not stuck and not rep:
                flagged=False
                self.lev+=(self.old[1]-C); self.old=None
                C=float((w*self.lev).sum()); f=C+seas+he; r=y-f; score=abs(r)/s/5
        enough="tells" if i>=TELLS_AFTER else "speaks"
        judged=Judged(day,score,self.inv(f),self.inv(f-s*self.h[1,-1]),self.inv(f+s*self.h[1,1]),flagged,stuck,enough,f"{span} {side} {score:.2f}"+(" stuck" if stuck else " rep" if rep else ""))
        # learn
        if run>=2: self.repeats+= (0 if flagged else 1)
        self.run=run
        known=day in self.known
        excl=known or score>1 or stuck or rep or imp
        if flagged and side and score>1: 
            self.last=(i,side,max(score, self.last[2] if self.last and i-self.last[0]<=P["quiet"] and self.last[1]==side else 0))
        if excl:
            ue=u
            self.out.append(u)
            self.y.append(f-he); self.u.append(C)
            if len(self.out)>=P["accept"]:
                o=np.array(self.out[-P["accept"]:]); mv=float(np.median(o))
                if (np.sign(o-C)==np.sign(mv-C)).all():
                    self.old=(i,C)
                    self.lev+=mv-C; self.out=[]
        else:
            if not keys: self.out=[]
            lim=P["clip"]*s
            rc=min(max(r,-lim),lim)
            yc=f+rc-he
            g=0.25 if keys else 1.0
            # experts
            e=yc-(self.lev+self.wd[:,wd:wd+1])
            self.err+= g*(1-P["disc"])*(np.minimum(np.abs(e),3*self.s)-self.err)
            self.lev+=g*ALPHAS*np.clip(e,-lim*1.5,lim*1.5)
            a=abs(rc)
            if not keys:
                self.ws[wd]+= (1/12)*(a/self.s/0.78-self.ws[wd]); self.ws[wd]=min(2.5,max(.5,self.ws[wd]))
                self.s+=(1/45)*(a*1.28-self.s)
            self.y.append(yc); self.u.append(f-he+rc-seas)
        for key in keys:
            if not known and not imp and not stuck: self.hol_eff.setdefault(key,[]).append(min(max(y-C-seas,-3),3))
        self.C.append(float((w*self.lev).sum()))
        for k in SPANS:
            if k in z:
                zz=z[k]
                hh=self.h[k,1 if zz>0 else -1]
                if excl and k==1:
                    zz=math.copysign(min(abs(zz),hh),zz)
                elif excl: continue
                self.z[k].append(zz)
            if k>1 and len(self.u)>k and not excl:
                rk=abs(sum(self.u[-k:])/k-self.C[-k-1])
                if self.S[k] is None: self.S[k]=max(rk,self.s)
                self.S[k]+=(1/45)*(min(rk,3*self.S[k])*1.28-self.S[k])
        self.vals.append(value); self.days.append(day); self.n+=1
        return judged

    def warm(self):
        self.setup()
        v=np.array(self.vals)
        self.integer=bool((v==np.round(v)).all())
        y=np.array([self.t(x) for x in self.vals])
        for i in range(1,len(v)): 
            if v[i]==v[i-1]: self.repeats+=1
        # winsorise
        wdx=np.array([d.weekday() for d in self.days])
        med=np.array([np.median(y[wdx==k]) if (wdx==k).any() else np.median(y) for k in range(7)])
        rr=y-med[wdx]; sc=max(1.4826*np.median(np.abs(rr)),1e-6)
        y=med[wdx]+np.clip(rr,-3*sc,3*sc)
        self.y=list(y)
        self.seasonal()
        self.s=max(sc,1e-6)
        self.lev=np.zeros((2,len(ALPHAS)))+float(np.median(y[:7]-self.wd[0][wdx[:7]]))
        res=[]
        for i in range(len(y)):
            e=y[i]-(self.lev+self.wd[:,wdx[i]:wdx[i]+1])
            self.err+=.1*(np.abs(e)-self.err)
            w=(self.err+1e-9)**-P["pw"]; w/=w.sum()
            C=float((w*self.lev).sum()); seas=float((w*self.wd[:,wdx[i]:wdx[i]+1]).sum())
            if i>=7: res.append(y[i]-C-seas)
            self.lev+=ALPHAS*e
            self.u.append(y[i]-seas); self.C.append(float((w*self.lev).sum()))
        self.s=max(1.28*float(np.mean(np.abs(res)))*1.1,1e-6)
        for r in res: self.z[1].append(r/self.s)
        for k in SPANS[1:]:
            rk=[sum(self.u[j-k+1:j+1])/k-self.C[j-k] for j in range(k+3,len(y))]
            self.S[k]=max(1.28*float(np.mean(np.abs(rk))),1e-6)
            self.z[k]=[x/self.S[k] for x in rk]

def judge_series(points, *, kind="count", holidays={}, known_events=(), alert_budget=4.0):
    w=Watch(kind,holidays,known_events,alert_budget)
    return [w.step(d,v) for d,v in points]
